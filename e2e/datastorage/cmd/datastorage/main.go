// Datastorage writes records until it is told to end: a small service, built and deployed as many are.
package main

import (
	"flag"
	"log"
	"time"

	"example.com/datastorage/internal/shutdown"
	"example.com/datastorage/internal/store"
)

func main() {
	drain := flag.Duration("drain", 0, "take this long to end")
	flag.Parse()
	records := store.New()
	stop := shutdown.Requested()
	tick := time.NewTicker(100 * time.Millisecond)
	log.Print("datastorage: running")
	for {
		select {
		case <-tick.C:
			records.Put("key", time.Now().String())
		case <-stop:
			time.Sleep(*drain)
			log.Printf("datastorage: %d records", records.Len())
			return
		}
	}
}
