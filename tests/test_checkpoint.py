"""A checkpoint is whole or that of the epoch before, and nothing in it is ever run."""

import pickle

import pytest
import torch

from core.training.checkpoint import load_checkpoint, save_checkpoint


class _Trap:
    def __reduce__(self):
        return (print, ("run by unpickling",))


def test_what_is_saved_comes_back(tmp_path):
    state = {"epoch": 2, "model": {"weight": torch.arange(3.0)}, "ema": None, "schedule": {"last_epoch": 7}}
    save_checkpoint(tmp_path / "checkpoint.pt", state)
    read = load_checkpoint(tmp_path / "checkpoint.pt")
    assert torch.equal(read["model"].pop("weight"), torch.arange(3.0))
    assert read == state | {"model": {}}


def test_there_is_none_before_the_first(tmp_path):
    assert load_checkpoint(tmp_path / "checkpoint.pt") is None


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 torn", pickle.dumps(_Trap(), protocol=2), pickle.dumps([1], protocol=2)]
)
def test_a_damaged_or_hostile_file_starts_the_fold_again_and_runs_nothing(tmp_path, capsys, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    assert load_checkpoint(tmp_path / "checkpoint.pt") is None
    assert "run by unpickling" not in capsys.readouterr().out


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "checkpoint.pt", {"epoch": 1})

    def torn(state, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", torn)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path / "checkpoint.pt", {"epoch": 2})
    assert load_checkpoint(tmp_path / "checkpoint.pt") == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
