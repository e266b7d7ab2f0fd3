"""The files of tenants, on whatever fsspec reaches (``file://`` if nothing else is set)."""

from __future__ import annotations

import os
import re
from functools import lru_cache

import fsspec
from fsspec.implementations.local import LocalFileSystem

from ..broker.errors import ConfigurationError, PermanentFailure, Unavailable
from ..broker.settings import settings
from ..middleware.tenant_id import tenant_text

#: Characters of a path.
PATH_MAX = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def relative_path(path: str) -> str:
    """A path below a tenant's own folder.

    Raises:
      ValueError: it is absolute, climbs out of the folder or is written in a way that some storage may misread.
    """
    if not path or len(path) > PATH_MAX or _CONTROL.search(path):
        raise ValueError(f"allowed is a path of 1 to {PATH_MAX} printable characters")
    if "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError("allowed is a path below the tenant's own folder, such as invoices/7.pdf")
    return path


class Storage:
    """Files by tenant and path; no path leaves the tenant's own folder.

    Parameters:
      url: the folder of all tenants, such as ``s3://bucket/files`` or ``file:///var/lib/app/files``.

    Raises:
      ConfigurationError: no such kind of storage is installed.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"STORAGE_URL cannot be used: {error}") from None

    def read(self, tenant_id: str, path: str, limit: int) -> bytes:
        """A whole file.

        Parameters:
          limit: bytes that it may have.

        Raises:
          PermanentFailure: there is no such file, it is larger, or the path leaves the tenant's folder.
          Unavailable: the storage is away.
        """
        place = self._place(tenant_id, path)
        try:
            with self._files.open(place, "rb") as file:
                content: bytes = file.read(limit + 1)
        except (FileNotFoundError, IsADirectoryError):
            raise PermanentFailure(f"tenant {tenant_id} has no file {path}") from None
        except Exception as error:
            raise Unavailable(f"the storage is away: {error}") from error
        if len(content) > limit:
            raise PermanentFailure(f"{path} has more than {limit} bytes")
        return content

    def write(self, tenant_id: str, path: str, content: bytes) -> None:
        """Write a file.

        Raises:
          PermanentFailure: the path leaves the tenant's folder.
          Unavailable: the storage is away.
        """
        place = self._place(tenant_id, path)
        try:
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(place, content)
        except Exception as error:
            raise Unavailable(f"the storage is away: {error}") from error

    def remove_all(self, tenant_id: str, dry_run: bool = False) -> int:
        """Remove every file of a tenant, or only count them.

        Returns:
          how many there are or were.

        Raises:
          Unavailable: the storage is away.
        """
        folder = self._folder(tenant_id)
        try:
            self._files.invalidate_cache()
            found = len(self._files.find(folder))
            if not dry_run and self._files.exists(folder):
                self._files.rm(folder, recursive=True)
        except Exception as error:
            raise Unavailable(f"the storage is away: {error}") from error
        return found

    def _folder(self, tenant_id: str) -> str:
        # A tenant may be called "..", so its folder is never its bare name.
        return f"{self._root.rstrip('/')}/tenant-{tenant_text(tenant_id)}"

    def _place(self, tenant_id: str, path: str) -> str:
        folder = self._folder(tenant_id)
        try:
            place = f"{folder}/{relative_path(path)}"
        except ValueError as error:
            raise PermanentFailure(f"{path!r} is no file of tenant {tenant_id}: {error}") from None
        if isinstance(self._files, LocalFileSystem):
            self._refuse_links_outside(folder, place)
        return place

    @staticmethod
    def _refuse_links_outside(folder: str, place: str) -> None:
        real = os.path.realpath(folder)
        if os.path.commonpath([real, os.path.realpath(place)]) != real:
            raise PermanentFailure("a link leads out of the tenant's folder")


@lru_cache(maxsize=1)
def storage() -> Storage:
    """The storage of this process, as ``STORAGE_URL`` names it.

    Raises:
      ConfigurationError: no such kind of storage is installed.
    """
    chosen = settings()
    return Storage(chosen.storage_url or (chosen.jobfleet_home.absolute() / "files").as_uri())
