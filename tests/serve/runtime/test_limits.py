"""Who may ask: hosts, origins, HEAD; over an application that answers everything."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serve.runtime.guards import add_guards, settings

Guarded = Callable[..., TestClient]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Guarded:
    """A client of an application with the guards that a key and origins of other pages lead to."""

    def made(key: str | None = None, origins: str | None = None) -> TestClient:
        for name, value in (("SWIGGLE_API_KEY", key), ("SWIGGLE_CORS_ORIGINS", origins)):
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        app = FastAPI()

        @app.get("/v1/labels")
        @app.get("/healthz")
        async def answer() -> dict[str, str]:
            return {"status": "ok"}

        @app.put("/v1/labels")
        async def put() -> dict[str, str]:
            return {"status": "changed"}

        add_guards(app)
        return TestClient(app, "http://localhost:8000")

    return made


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1", "127.1.2.3"]
)
def test_names_of_this_machine_are_answered(guarded: Guarded, host: str) -> None:
    assert guarded().get("/v1/labels", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::1", "",
     "localhost@evil.example", "[fe80::1]:80", "evil.example:localhost"],
)  # fmt: skip
def test_other_names_are_refused_without_a_key(guarded: Guarded, host: str) -> None:
    """A page of another site may have made its own name resolve to this machine."""
    client = guarded()
    for method, path in (("GET", "/v1/labels"), ("PUT", "/v1/labels"), ("GET", "/"), ("GET", "/static/app.js")):
        refused = client.request(method, path, headers={"Host": host})
        assert refused.status_code == 403
        assert set(refused.json()["error"]) == {"message", "type", "param", "code"}
        assert refused.json()["error"]["code"] == "forbidden_host"
    assert client.get("/healthz", headers={"Host": host}).status_code == 200  # what watches a server asks by address


def test_with_a_key_any_host_is_answered(guarded: Guarded) -> None:
    headers = {"Host": "swiggle.example", "Authorization": "Bearer s3cret"}
    assert guarded("s3cret").get("/v1/labels", headers=headers).status_code == 200


def test_pages_of_other_sites_read_nothing_by_default(guarded: Guarded) -> None:
    answer = guarded().get("/v1/labels", headers={"Origin": "https://app.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_origins_that_are_named_may_read(guarded: Guarded) -> None:
    client = guarded("s3cret", "https://app.example, https://other.example")
    headers = {"Origin": "https://app.example"}
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = client.options("/v1/labels", headers=headers | asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    for key, status in (("s3cret", 200), ("wrong", 401)):  # errors must be readable too
        answer = client.get("/v1/labels", headers=headers | {"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "https://app.example")
        assert "x-swiggle-session" in answer.headers["access-control-expose-headers"].lower()
    foreign = client.get("/v1/labels", headers={"Origin": "https://evil.example", "Authorization": "Bearer s3cret"})
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize("path", ["/v1/labels", "/healthz"])
def test_head_is_get_without_the_body(guarded: Guarded, path: str) -> None:
    client = guarded()
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"] != "0"
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert client.head("/no/such").status_code == 404


def test_what_guards_read_is_handed_on_to_a_cluster() -> None:
    given = {"SWIGGLE_API_KEY": "k", "SWIGGLE_CORS_ORIGINS": "https://studio.example", "HOME": "/root"}
    assert settings(given) == {"SWIGGLE_API_KEY": "k", "SWIGGLE_CORS_ORIGINS": "https://studio.example"}
    assert settings({}) == {}
