"""What the reader sees: tables, charts, maps, and the self-contained HTML pages."""
