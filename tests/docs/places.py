"""Where the documentation is."""

from pathlib import Path

__all__ = ["DOCS", "PAGES", "README", "ROOT"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted(DOCS.rglob("*.md"))
"""All pages of the site."""
