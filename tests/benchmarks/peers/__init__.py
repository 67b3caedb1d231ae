"""What Uptier is measured beside: the least that anybody would write for the same work. Nothing here is safe."""
