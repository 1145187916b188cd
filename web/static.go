package web

import (
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"path"
	"strings"
)

//go:embed static/*.css static/*.js static/*.svg
var builtin embed.FS

// staticPrefix is where the server answers with static files.
const staticPrefix = "/static/"

// File is one static file. Its address changes with its content, so it may be
// cached forever: Cache-Control: public, max-age=31536000, immutable.
type File struct {
	Body []byte
	Gzip []byte // the same, compressed
	Type string // MIME type for Content-Type
}

// Static is all the static files by the name that holds the hash of their content.
type Static struct {
	files map[string]File   // by hashed name: "app.0aZ3….css"
	urls  map[string]string // by plain name: "app.css"
}

// NewStatic hashes the built-in files. The error is a defect of the build.
func NewStatic() (*Static, error) {
	dir, err := fs.Sub(builtin, "static")
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	a := &Static{files: map[string]File{}, urls: map[string]string{}}
	for _, e := range entries {
		body, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + base64.RawURLEncoding.EncodeToString(sum[:9]) + ext
		var packed strings.Builder
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		z.Write(body) // a buffer takes everything
		z.Close()
		a.files[hashed] = File{Body: body, Gzip: []byte(packed.String()), Type: mimeType(ext)}
		a.urls[e.Name()] = staticPrefix + hashed
	}
	return a, nil
}

// mimeType is our own table: that of the operating system is not ours to trust.
func mimeType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// URL returns the address of a file by its plain name: "app.css" gives
// "/static/app.0aZ3….css". An unknown name gives an address that answers 404.
func (a *Static) URL(name string) string {
	if a == nil || a.urls[name] == "" {
		return staticPrefix + name
	}
	return a.urls[name]
}

// Get returns the file by the last part of its address. ok is false when there
// is none, or when the content has changed since the address was made.
func (a *Static) Get(hashed string) (file File, ok bool) {
	file, ok = a.files[hashed]
	return file, ok
}
