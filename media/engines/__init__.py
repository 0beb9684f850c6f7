"""One module per engine behind media.ports; heavy imports happen inside."""
