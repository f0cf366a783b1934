"""The front of a server over stdio: it answers what is asked at every start, and calls, before the SDK is loaded."""
