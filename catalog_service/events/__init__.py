"""Events as they are told: matched with a filter and made into messages, for subscribers, streams and feeds alike."""
