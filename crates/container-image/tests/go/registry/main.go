// Program registry is a real registry that asks for logins, and crane, which puts images there.
//
//	registry serve [-login none|basic|bearer] [-certificate FILE] [-elsewhere]
//	registry zstd           compresses standard input, in two frames and a skippable one
//	registry crane …        is crane
//
// It says its address on standard output, and ends with its standard input.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	crane "github.com/google/go-containerregistry/cmd/crane/cmd"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/klauspost/compress/zstd"
)

const (
	user          = "shop"
	password      = "correct horse: battery"
	identityToken = "identity-of-shop"
	token         = "token-for-reading"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("what?")
	}
	switch os.Args[1] {
	case "crane":
		crane.Root.SetArgs(os.Args[2:])
		if err := crane.Root.Execute(); err != nil {
			os.Exit(1)
		}
	case "zstd":
		compress()
	case "serve":
		serve(os.Args[2:])
	}
}

func compress() {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		log.Fatal(err)
	}
	half := len(data) / 2
	os.Stdout.Write(encoder.EncodeAll(data[:half], nil))
	os.Stdout.Write([]byte{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'})
	os.Stdout.Write(encoder.EncodeAll(data[half:], nil))
}

func serve(arguments []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	login := flags.String("login", "none", "")
	certificate := flags.String("certificate", "", "")
	elsewhere := flags.Bool("elsewhere", false, "")
	flags.Parse(arguments)

	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	images = damaging(images)
	handler := images
	if *elsewhere {
		handler = redirecting(handler, httptest.NewServer(refusingSecrets(images)).URL)
	}
	server := httptest.NewUnstartedServer(nil)
	switch *login {
	case "basic":
		handler = basic(handler)
	case "bearer":
		handler = bearer(handler)
	}
	server.Config.Handler = handler
	if *certificate == "" {
		server.Start()
	} else {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{newCertificate(*certificate)}}
		server.StartTLS()
	}
	fmt.Println(server.Listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}

// Writing needs no login, so that crane needs none.
func reads(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Path != "/v2/" }

func basic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, secret, _ := r.BasicAuth()
		if reads(r) && (name != user || secret != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="the shop"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func bearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token":
			giveToken(w, r)
		case reads(r) && r.Header.Get("Authorization") != "Bearer "+token+repository(r.URL.Path):
			realm := "http://" + r.Host + "/token"
			if r.TLS != nil {
				realm = "https://" + r.Host + "/token"
			}
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="shop, and more",scope="all"`, realm))
			w.WriteHeader(http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// repository is NAME in /v2/NAME/manifests/… and /v2/NAME/blobs/….
func repository(path string) string {
	name := strings.TrimPrefix(path, "/v2/")
	for _, part := range []string{"/manifests/", "/blobs/"} {
		name, _, _ = strings.Cut(name, part)
	}
	return name
}

// giveToken gives one for reading one repository: to everybody for public/…, else to the user.
func giveToken(w http.ResponseWriter, r *http.Request) {
	name, secret, _ := r.BasicAuth()
	r.ParseForm()
	isUser := name == user && secret == password ||
		r.Method == http.MethodPost && r.Form.Get("grant_type") == "refresh_token" &&
			r.Form.Get("refresh_token") == identityToken
	wanted, isPull := strings.CutSuffix(strings.TrimPrefix(r.Form.Get("scope"), "repository:"), ":pull")
	if r.Form.Get("service") != "shop, and more" || !isPull {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !isUser && !strings.HasPrefix(wanted, "public/") {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	json.NewEncoder(w).Encode(map[string]string{"access_token": token + wanted})
}

func isBlob(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256:")
}

func redirecting(next http.Handler, to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isBlob(r) {
			http.Redirect(w, r, to+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refusingSecrets(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			http.Error(w, "a secret came along", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// damaging changes the last byte of every blob of a repository damaged/….
func damaging(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isBlob(r) || !strings.HasPrefix(r.URL.Path, "/v2/damaged/") {
			next.ServeHTTP(w, r)
			return
		}
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		body := recorder.Body.Bytes()
		if bytes.HasPrefix(body, []byte("{")) {
			w.Write(body) // the configuration
			return
		}
		body[len(body)-1] ^= 1
		w.Write(body)
	})
}

// newCertificate makes one for this machine, of an authority of its own, and writes the authority's to a file.
func newCertificate(file string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityBytes, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	leafBytes, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityBytes})
	if err := os.WriteFile(file, text, 0o644); err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{leafBytes}, PrivateKey: key}
}
