"""Session ids: what they hold, and which are refused."""

import base64

import numpy as np
import pytest

from serve.parts.sessions import Sessions
from serve.routes import schemas
from serve.runtime.api_errors import ApiError

SHAPE = (4, 8, 8)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions({"vae/model.safetensors": "abc"}, SHAPE)


def test_a_session_is_its_latent_to_the_bit(sessions: Sessions, rng: np.random.Generator) -> None:
    latent = rng.normal(size=SHAPE).astype(np.float32)
    key = sessions.open(latent).id
    assert 64 < len(key) < 2048
    again = Sessions({"vae/model.safetensors": "abc"}, SHAPE).get(key)
    np.testing.assert_array_equal(again.latent, latent)
    assert again.id == key
    assert sessions.names(key)


def test_what_this_vae_did_not_give_has_expired(sessions: Sessions) -> None:
    latent = np.ones(SHAPE, np.float32)
    own = sessions.open(latent).id
    odd = [np.full(SHAPE, value, np.float32) for value in (np.nan, np.inf, 1e30)]
    foreign = Sessions({"vae/model.safetensors": "other"}, SHAPE).open(latent).id
    wrong = [
        foreign,
        own[:-4],
        own + "AAAA",
        "",
        "gone",
        "é" * 100,
        "../../etc/passwd",
        *(sessions.open(z).id for z in odd),
    ]
    for key in wrong:
        with pytest.raises(ApiError, match="expired") as refused:
            sessions.get(key)
        assert (refused.value.status, refused.value.code) == (404, "session_expired")


def test_a_picture_is_no_session(sessions: Sessions) -> None:
    assert not sessions.names("data:image/png;base64," + "A" * 100)
    assert not sessions.names(base64.b64encode(b"\x89PNG" + bytes(100)).decode())
    assert sessions.names("gone")


@pytest.mark.parametrize("shape", [(4, 64, 64), (8, 32, 32)])
def test_sessions_of_large_latents_are_taken(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    """The latents of image_size=512, and of 256 with eight channels."""
    sessions = Sessions({"vae/model.safetensors": "abc"}, shape)
    latent = rng.normal(size=shape).astype(np.float32)
    key = sessions.open(latent).id
    asked = schemas.EncodeRequest(session=key)
    np.testing.assert_array_equal(sessions.get(asked.session or "").latent, latent)


def test_only_short_sessions_travel_in_a_header(sessions: Sessions) -> None:
    from serve.routes.responses import session_header

    short = sessions.open(np.zeros(SHAPE, np.float32)).id
    assert session_header(short) == {"X-Swiggle-Session": short}
    long = Sessions({}, (8, 32, 32)).open(np.zeros((8, 32, 32), np.float32)).id
    assert session_header(long) == {}
