"""Engine for road days: goods picked up anywhere and delivered anywhere, each by one vehicle in one round."""
