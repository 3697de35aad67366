module snapshot

go 1.22
