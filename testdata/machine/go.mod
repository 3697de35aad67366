module example.com/machine

go 1.23
