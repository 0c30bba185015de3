"""Who a body is: claims, whether they are of what sensors see, and how far they are believed."""
