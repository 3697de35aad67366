// Server counts in a function of its own for each kind of work that it is asked for.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
)

var kinds = map[string]func(){"a": a, "b": b, "c": c, "p": p, "q": q, "x": x}

func main() {
	listen := flag.String("listen", ":8080", "address to listen at")
	flag.Parse()
	http.HandleFunc("/work", func(_ http.ResponseWriter, r *http.Request) { kinds[r.FormValue("kind")]() })
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	http.HandleFunc("/parent", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getppid()) })
	http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe(*listen, nil))
}

func a() { print() }
func b() { print() }
func c() { print() }
func p() { print() }
func q() { print() }
func x() { print() }
