"""The report of a campaign as one HTML file: no script, no network, readable on paper and in the dark."""

from vedette.evaluate.page.page import page as page
