"""``python -m jobfleet.grafana``: write the dashboards' JSON, and take away what is none of them any more."""

from __future__ import annotations

from .catalogue import FOLDER, build


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    built = build()
    for old in FOLDER.glob("*.json"):
        if old.name not in built:
            old.unlink()
    for name, text in built.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote {FOLDER / name}")


if __name__ == "__main__":
    main()
