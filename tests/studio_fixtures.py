"""Fixtures that put toy models onto the loopback Hub as the studio's set-up; test files name this module in
`pytest_plugins`."""

from pathlib import Path

import pytest

from tests.studio_models import forget_studio, save_control, save_decoder, save_pipeline


@pytest.fixture(scope="session")
def toys(tmp_path_factory) -> Path:
    """Folders model, decoder and control."""
    folder = tmp_path_factory.mktemp("toys")
    save_pipeline(folder / "model")
    save_decoder(folder / "decoder")
    save_control(folder / "control")
    return folder


@pytest.fixture
def put(hub, monkeypatch):
    """`put(model=files, decoder=files)` or folders in their place: the Hub has them, and they are the set-up."""

    def put(**parts: dict[str, bytes] | Path) -> None:
        for part, content in parts.items():
            store = hub.put if isinstance(content, dict) else hub.put_folder
            monkeypatch.setenv(f"ISNEAKER_STUDIO_{part.upper()}", f"maker/{part}@{store(f'maker/{part}', content)}")
        forget_studio()

    yield put
    forget_studio()


@pytest.fixture
def studio(put, toys, weights):
    """A set-up of a toy pipeline and decoder on the Hub, and tiny fast models."""
    put(model=toys / "model", decoder=toys / "decoder")
