"""From maps to labels: markers, watershed, objects, holes, numbering, and the certificate that tiles are exact."""
