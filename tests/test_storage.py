"""Files of one tenant stay with that tenant."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobfleet.actors.storage import Storage, storage
from jobfleet.broker.errors import ConfigurationError, PermanentFailure, Unavailable


@pytest.fixture
def files(tmp_path: Path) -> Storage:
    return Storage((tmp_path / "files").as_uri())


def test_what_is_written_is_read(files: Storage) -> None:
    files.write("42", "invoices/7.pdf", b"content")

    assert files.read("42", "invoices/7.pdf", limit=7) == b"content"


def test_another_tenant_has_no_such_file(files: Storage) -> None:
    files.write("42", "invoices/7.pdf", b"content")

    with pytest.raises(PermanentFailure, match="tenant 43 has no file invoices/7.pdf"):
        files.read("43", "invoices/7.pdf", limit=100)


def test_a_file_that_is_too_large_is_not_read(files: Storage) -> None:
    files.write("42", "big", b"x" * 101)

    with pytest.raises(PermanentFailure, match="big has more than 100 bytes"):
        files.read("42", "big", limit=100)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../tenant-43/a",
        "a/../../tenant-43/a",
        "/etc/passwd",
        "a//b",
        "a/./b",
        "a\\b",
        "a\0b",
        "a/",
        "x" * 1025,
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(files: Storage, path: str) -> None:
    files.write("43", "a", b"secret")

    with pytest.raises(PermanentFailure):
        files.read("42", path, limit=100)
    with pytest.raises(PermanentFailure):
        files.write("42", path, b"mine")


@pytest.mark.parametrize("tenant", ["..", ".", "@system"])
def test_a_tenant_with_an_odd_name_has_a_folder_like_any_other(files: Storage, tmp_path: Path, tenant: str) -> None:
    files.write(tenant, "a", b"mine")

    assert (tmp_path / "files" / f"tenant-{tenant}" / "a").read_bytes() == b"mine"


def test_a_link_that_leads_out_is_refused(files: Storage, tmp_path: Path) -> None:
    files.write("42", "a", b"mine")
    files.write("43", "a", b"secret")
    (tmp_path / "files" / "tenant-42" / "link").symlink_to(tmp_path / "files" / "tenant-43")

    with pytest.raises(PermanentFailure, match="a link leads out of the tenant's folder"):
        files.read("42", "link/a", limit=100)


def test_a_folder_is_no_file(files: Storage) -> None:
    files.write("42", "folder/a", b"mine")

    with pytest.raises(PermanentFailure, match="has no file folder"):
        files.read("42", "folder", limit=100)


def test_storage_that_cannot_be_reached_is_away(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where a folder should be")

    with pytest.raises(Unavailable, match="the storage is away"):
        Storage((tmp_path / "files").as_uri()).write("42", "a", b"mine")


def test_files_lie_under_the_home_unless_set_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    storage.cache_clear()
    try:
        storage().write("42", "a", b"mine")
    finally:
        storage.cache_clear()
    assert (tmp_path / "home" / "files" / "tenant-42" / "a").read_bytes() == b"mine"


def test_a_storage_that_is_not_installed_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="STORAGE_URL cannot be used"):
        Storage("nosuch://bucket")


def test_all_files_of_a_tenant_are_removed_and_no_others(tmp_path: Path) -> None:
    # Given two tenants, one of whom has a link to what is not its own
    files = Storage(tmp_path.as_uri())
    for tenant_id in ("42", "4"):
        files.write(tenant_id, "invoices/2026/7.pdf", b"seven")
        files.write(tenant_id, "logo.png", b"logo")
    (tmp_path / "tenant-42" / "link").symlink_to(tmp_path / "tenant-4")

    # When one's files are counted, nothing changes
    counted = files.remove_all("42", dry_run=True)
    assert files.read("42", "logo.png", limit=10) == b"logo"

    # When they are removed, then they are gone, and what the link leads to is not
    assert files.remove_all("42") == counted >= 2
    assert not (tmp_path / "tenant-42").exists()
    assert files.read("4", "invoices/2026/7.pdf", limit=10) == b"seven"
    assert files.remove_all("42") == files.remove_all("nobody") == 0
