"""WHIP: a call by plain HTTP."""

from gateway.store.schema import calls
from tests.gateway.callers import quiet, rows, somebody
from tests.gateway.served import Served
from tests.media.browser import Browser, Tone


async def test_whip_rings_hears_and_hangs_up(house: Served) -> None:
    """RFC 9725 by plain HTTP: ticket, offer, answer with candidates, trickle, delete."""
    customer = await somebody(house, "customer")
    status, ticket = await house.call(customer, "POST", "/api/v1/tickets")
    assert status == 201
    browser = Browser(audio=Tone(600))
    bearer = {"Authorization": f"Bearer {ticket['ticket']}"}
    sdp = {**bearer, "Content-Type": "application/sdp"}
    url = house.url + "/api/v1/whip"
    offer = await browser.offer()
    async with house.http.post(url, data=offer, headers=bearer) as response:
        assert response.status == 400  # not application/sdp
    async with house.http.post(url, data=offer, headers=sdp) as response:
        assert response.status == 201
        assert response.content_type == "application/sdp"
        resource = house.url + response.headers["Location"]
        answer = await response.text()
    assert "a=candidate" in answer
    await browser.accept(answer)
    await browser.connected()
    assert abs(await browser.heard_hz(20, 2) - 500) < 10
    async with house.http.post(url, data=offer, headers=sdp) as response:
        assert (response.status, (await response.json())["code"]) == (401, "bad_ticket")  # each once
    fragment = {**bearer, "Content-Type": "application/trickle-ice-sdpfrag"}
    trickled = "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 50000 typ host\r\n"
    async with house.http.patch(resource, data=trickled, headers=fragment) as response:
        assert response.status == 204
    async with house.http.delete(resource, headers=bearer) as response:
        assert response.status == 200
    await quiet(house)
    assert (await rows(house, calls))[0]["reason"] == "customer_left"
    await browser.pc.close()


async def test_whip_refuses_in_code(house: Served) -> None:
    headers = {"Content-Type": "application/sdp", "Authorization": "Bearer nonsense"}
    async with house.http.post(house.url + "/api/v1/whip", data="v=0", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (401, "bad_ticket")
    _, ticket = await house.call(await somebody(house, "customer"), "POST", "/api/v1/tickets")
    headers["Authorization"] = f"Bearer {ticket['ticket']}"
    async with house.http.post(house.url + "/api/v1/whip", data="v=0\r\nnonsense", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, "bad_sdp")
    async with house.http.post(house.url + "/api/v1/whip", data="v" * 70_000, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (413, "too_large")
    assert not house.gateway.calls.peers.standbys
