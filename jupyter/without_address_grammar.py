"""Import this before anything of Jupyter: it spares a second of processor time in each process.

jsonschema, which Jupyter checks notebooks and events with, builds a grammar of internationalised addresses (RFC 3987)
as soon as it is imported, for the formats "iri" and "iri-reference". No schema of Jupyter's names these, and jsonschema
goes without where the package of that grammar is not installed; here it is told that it isn't.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)
