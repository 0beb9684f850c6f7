"""The floor under the chat: a bare aiohttp WebSocket server that says every frame back, to its sender and its partner.

No parsing, no database, no permission. What is left is the price of aiohttp, the kernel and the loader.
"""

import sys

from aiohttp import WSMsgType, web


def application() -> web.Application:
    pairs: dict[str, list[web.WebSocketResponse]] = {}

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        pair = pairs.setdefault(await socket.receive_str(), [])
        pair.append(socket)
        await socket.send_str('{"type":"ready"}')
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    for one in tuple(pair):
                        if not one.closed:
                            await one.send_str(frame.data)
        except ConnectionError:
            pass
        finally:
            pair.remove(socket)
        return socket

    app = web.Application()
    app.router.add_get("/ws", serve)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), print=lambda _: None, access_log=None)
