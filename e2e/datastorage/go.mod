module example.com/datastorage

go 1.22
