package cli

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// trustVariable names the keys that are trusted, for every command.
const trustVariable = "LEEWARD_FEEDS_TRUST"

type feedsImportCmd struct {
	Bundle string `arg:"" help:"Bundle of leeward feeds export."`
	Trust  string `help:"Take only what one of these keys signed: a public key, or a directory of them (*.pub)." env:"LEEWARD_FEEDS_TRUST" placeholder:"FILE|DIR" type:"path"`
	Force  bool   `help:"Take copies that are older than the kept ones."`
}

func (c *feedsImportCmd) Run(ctx context.Context, r *run) error {
	trusted, err := trustedKeys(c.Trust)
	if err != nil {
		return err
	}
	f, err := os.Open(c.Bundle)
	if err != nil {
		return exposure.Errorf(exposure.NotFound, "cannot read %s: check the path and its permissions (%w)", c.Bundle, err)
	}
	defer f.Close()
	// It is looked at here, too: a running server has its own keys, or none.
	seal, err := checkBundle(f, trusted)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Bundle, err)
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	rows, err := h.ImportFeeds(ctx, f, c.Force)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Bundle, err)
	}
	switch {
	case seal.Trusted:
		fmt.Fprintf(r.Err, "The bundle is signed by the trusted key %s.\n", seal.Signer)
	case seal.Signer != "":
		fmt.Fprintf(r.Err, "Warning: the bundle is signed by %s, and no key is trusted here: name it with --trust.\n", seal.Signer)
	default:
		fmt.Fprintf(r.Err, "Warning: the bundle is not signed, so anybody may have made it: sign it with `leeward feeds export --sign`.\n")
	}
	return r.feedTable(rows)
}

func checkBundle(f *os.File, trusted []ed25519.PublicKey) (intel.Seal, error) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBundle {
		return intel.Seal{}, exposure.Errorf(exposure.Invalid, "this is no file of at most %d GiB, so it is no bundle", int64(maxBundle)>>30)
	}
	return intel.CheckBundle(io.NewSectionReader(f, 0, info.Size()), trusted...)
}

type feedsExportCmd struct {
	Bundle string `arg:"" help:"Bundle to write."`
	Sign   string `help:"Sign it with this private key, see leeward feeds keygen." placeholder:"KEYFILE" type:"path"`
}

func (c *feedsExportCmd) Run(ctx context.Context, r *run) error {
	var key ed25519.PrivateKey
	if c.Sign != "" {
		text, err := readKey(c.Sign)
		if err == nil {
			key, err = intel.PrivateKey(text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.Sign, err)
		}
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if key == nil {
		return writeFile(c.Bundle, func(w io.Writer) error { return h.ExportFeeds(ctx, w) })
	}
	// The key stays here: a running server makes the bundle, and does not sign it.
	f, err := os.CreateTemp("", "leeward-bundle-*")
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot write a temporary file: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := h.ExportFeeds(ctx, f); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	return writeFile(c.Bundle, func(w io.Writer) error { return intel.SignBundle(io.NewSectionReader(f, 0, size), key, w) })
}

type feedsKeygenCmd struct {
	Key string `arg:"" help:"File to write the private key to; the public one goes beside it, with .pub at the end."`
}

func (c *feedsKeygenCmd) Run(r *run) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	secret, err := intel.PrivatePEM(private)
	if err != nil {
		return err
	}
	open, err := intel.PublicPEM(public)
	if err != nil {
		return err
	}
	if err := writeNew(c.Key, secret, 0o600); err != nil {
		return err
	}
	if err := writeNew(c.Key+".pub", open, 0o644); err != nil {
		os.Remove(c.Key)
		return err
	}
	fmt.Fprintf(r.Out, "%s\n", intel.Fingerprint(public))
	fmt.Fprintf(r.Err, "Keep %s secret; carry %s.pub to where bundles are taken.\n", c.Key, c.Key)
	return nil
}

// writeNew writes a file that is not there yet: a key that is written over is
// lost.
func writeNew(name string, body []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return exposure.Errorf(exposure.Conflict, "%s is there already: name another file", name)
	}
	if err == nil {
		_, err = f.Write(body)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot write %s: %w", name, err)
	}
	return nil
}

// trustedKeys reads the public keys at a path: of a file, or of the .pub files
// of a directory. None without a path; a path without keys is an error, because
// then anybody's bundles would be taken.
func trustedKeys(path string) (keys []ed25519.PublicKey, err error) {
	if path == "" {
		return nil, nil
	}
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.pub")); err != nil || len(files) == 0 {
			return nil, exposure.Errorf(exposure.NotFound, "the directory of trusted keys %s holds no .pub file: put the public keys there", path)
		}
	}
	for _, f := range files {
		text, err := readKey(f)
		var some []ed25519.PublicKey
		if err == nil {
			some, err = intel.PublicKeys(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		keys = append(keys, some...)
	}
	return keys, nil
}

func readKey(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, exposure.Errorf(exposure.NotFound, "cannot read the key: check the path and its permissions (%w)", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, exposure.Errorf(exposure.NotFound, "cannot read the key: %w", err)
	}
	return text, nil
}
