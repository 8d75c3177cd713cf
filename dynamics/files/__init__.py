"""One reading function per file format: whatever is damaged or foreign is refused in one sentence."""
