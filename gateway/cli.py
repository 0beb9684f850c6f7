"""`nestcall`: the commands that the modules of `gateway.commands` bring. A failure is one sentence and exit code 1."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import typer

from gateway import __version__, commands
from gateway.errors import NestcallError


def build() -> typer.Typer:
    """Modules import what is heavy only inside their commands, so that `nestcall --help` stays quick."""
    app = typer.Typer(name="nestcall", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    @app.callback(invoke_without_command=True)
    def root(
        version: bool = typer.Option(False, "--version", help="print the version and stop"),
    ) -> None:
        """Nestcall: consultation by chat, voice and video for mother-and-baby stores."""
        if version:
            typer.echo(__version__)
            raise typer.Exit

    for module in iter_modules(commands.__path__):
        import_module(f"{commands.__name__}.{module.name}").register(app)
    return app


def main() -> None:
    failure = None
    try:
        build()()
    except* NestcallError as errors:
        failure = first(errors)
    if failure is not None:
        typer.echo(f"nestcall: {failure.detail or failure}", err=True)
        sys.exit(1)


def first(errors: BaseExceptionGroup[NestcallError]) -> NestcallError:
    """The one that is said: what failed first usually made the others fail."""
    error = errors.exceptions[0]
    return first(error) if isinstance(error, BaseExceptionGroup) else error


if __name__ == "__main__":
    main()
