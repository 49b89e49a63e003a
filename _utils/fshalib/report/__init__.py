"""What a person sees: text, progress, one HTML page."""
