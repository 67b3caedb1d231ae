"""What comes in: webhooks, feeds and censuses, all into one inbox."""
