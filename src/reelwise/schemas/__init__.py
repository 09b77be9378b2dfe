"""JSON Schemas of the documents that users write, for completion in editors.

They are made from the types and committed beside this file; `python -m reelwise.schemas` rewrites them.
"""

from __future__ import annotations

from reelwise.schemas.write import NAMES, schema_of, schema_path, schema_text, write_all

__all__ = ["NAMES", "schema_of", "schema_path", "schema_text", "write_all"]
