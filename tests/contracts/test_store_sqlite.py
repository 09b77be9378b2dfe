"""What only the store in a SQLite file does."""

from __future__ import annotations

import pytest

from reelwise.errors import InputError, LedgerLockedError, OutputError
from reelwise.ledger.budgets import Budget
from reelwise.ledger.sqlite import SqliteLink, open_sqlite, refuse_network
from reelwise.ledger.verify import verify

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
files:/export /mnt/team nfs4 rw,vers=4.2 0 0
//office/share /mnt/with\\040space cifs rw 0 0
/dev/sdb1 /mnt/team/disk ext4 rw 0 0
me@host:/ /home/me/far fuse.sshfs rw 0 0
broken line
"""


@pytest.fixture
def mounts(tmp_path):
    path = tmp_path / "mounts"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/mnt/team/ledger.db", "nfs4"),
        ("/mnt/team/a/b/ledger.db", "nfs4"),
        ("/mnt/with space/ledger.db", "cifs"),
        ("/home/me/far/ledger.db", "fuse.sshfs"),
    ],
)
def test_a_network_file_system_is_refused(mounts, tmp_path, path, kind):
    with pytest.raises(InputError, match=kind) as caught:
        refuse_network(tmp_path.__class__(path), mounts)
    assert "PostgreSQL" in caught.value.hint


@pytest.mark.parametrize("path", ["/var/ledger.db", "/mnt/team/disk/ledger.db", "/mnt/teamwork/ledger.db", "/tmp/x.db"])  # noqa: S108
def test_a_local_one_is_not(mounts, tmp_path, path):
    refuse_network(tmp_path.__class__(path), mounts)


def test_a_link_to_a_network_file_system_is_refused(tmp_path):
    far = tmp_path / "far"
    far.mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nfiles:/export {far} nfs rw 0 0\n")
    (tmp_path / "near").symlink_to(far)

    with pytest.raises(InputError, match="nfs"):
        refuse_network(tmp_path / "near" / "ledger.db", mounts)


def test_without_a_list_of_mounts_nothing_is_refused(tmp_path):
    refuse_network(tmp_path / "ledger.db", tmp_path / "no such file")


def test_a_backup_is_a_whole_ledger(tmp_path):
    store = open_sqlite(tmp_path / "ledger.db")
    store.put_budget(Budget(name="a", hard=100), 1_800_000_000_000)
    store.link.backup(tmp_path / "copy.db")
    with pytest.raises(OutputError):
        store.link.backup(tmp_path / "no such folder" / "copy.db")
    store.close()

    copy = open_sqlite(tmp_path / "copy.db", create=False)
    assert [one.name for one in copy.definitions().budgets.values()] == ["a"]
    assert not verify(copy).problems
    copy.close()
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".part"]


def test_a_file_that_is_not_there_is_not_made_by_reading(tmp_path):
    with pytest.raises(InputError) as caught:
        open_sqlite(tmp_path / "ledger.db", create=False)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_many_that_switch_a_new_file_to_its_log_at_once_wait_for_each_other(tmp_path, monkeypatch):
    """SQLite says "locked" there without waiting: one does so after the other."""
    rows, refused = SqliteLink.rows, [1, 1, 1]

    def at_once(self, text, values=()):
        if "journal_mode" in text and refused:
            refused.pop()
            raise LedgerLockedError("locked", hint="wait")
        return rows(self, text, values)

    monkeypatch.setattr(SqliteLink, "rows", at_once)

    open_sqlite(tmp_path / "ledger.db").close()

    assert not refused
    refused += [1] * 10_000
    with pytest.raises(LedgerLockedError):
        open_sqlite(tmp_path / "ledger.db", wait_seconds=0.05)
