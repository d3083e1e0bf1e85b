"""What every integration test is made of: the daemon, a scripted upstream, a scripted memory model, a chat client."""
