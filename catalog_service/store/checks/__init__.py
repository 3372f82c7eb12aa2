"""What has to hold in the store, a module a subject: each yields what does not. Called by `store.fsck`."""
