"""The library under the platform: what a file must be, what is made of it, and the promise that it counts once."""
