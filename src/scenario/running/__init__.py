"""Where runs happen: worker threads with loops of their own, watched from outside."""
