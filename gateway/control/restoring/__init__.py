"""Messages that were taken down and come back: published again, or sent again by whoever wrote them."""
