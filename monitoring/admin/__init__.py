"""The monitor's HTTP server: one file per resource, with its routes; ``routes`` lists them all."""
