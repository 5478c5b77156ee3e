"""The portal: pages for people, over the API. It asks the API as any client does, in the same process."""
