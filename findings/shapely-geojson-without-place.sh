#!/usr/bin/env bash
# shapely 2.2.0 with the GEOS of its wheel (numpy 2.5.5; Python 3.12 or newer): GeoJSON features that have no place.
# Guess: a feature whose "geometry" is null, which RFC 7946 (section 3.2) has for features without a place, becomes an
# empty geometry, so that a collection keeps one geometry a feature.
# Seen: the whole collection is refused with GEOSException (ParseException: ... cannot use at() with null). The same file
# without that feature is read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet shapely==2.2.0 numpy==2.5.5
cd "$folder"
venv/bin/python - <<'EOF'
import json

import shapely

placed = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
unplaced = {"type": "Feature", "properties": {}, "geometry": None}


def read(*features):
    try:
        text = json.dumps({"type": "FeatureCollection", "features": features})
        return shapely.from_geojson(text).wkt
    except shapely.errors.GEOSException as error:
        return f"GEOSException: {error}"


print(shapely.geos_version, read(placed), "|", read(placed, unplaced))
assert read(placed) == "GEOMETRYCOLLECTION (POINT (1 2))"
assert read(placed, unplaced).startswith("GEOSException: ParseException: Error parsing JSON")
print("as described")
EOF
