"""What is known by directions alone: bodies where those of several sensors cross, and directions that are
sure while the distance is not."""
