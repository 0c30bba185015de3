"""The Lantern radar for Vedette: an example of a package of your own."""
