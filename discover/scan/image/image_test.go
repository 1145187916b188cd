package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

// entry is one of a tar: "name" is a file, "name/" a directory, "name -> x" a
// symbolic link, "name => x" a hard link, and "name!" a device.
type entry struct{ name, text string }

func tarOf(entries ...entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(e.text))}
		if from, to, ok := strings.Cut(e.name, " -> "); ok {
			h.Name, h.Linkname, h.Typeflag = from, to, tar.TypeSymlink
		} else if from, to, ok := strings.Cut(e.name, " => "); ok {
			h.Name, h.Linkname, h.Typeflag = from, to, tar.TypeLink
		} else if dev, ok := strings.CutSuffix(e.name, "!"); ok {
			h.Name, h.Typeflag = dev, tar.TypeChar
		} else if strings.HasSuffix(e.name, "/") {
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		w.Write([]byte(e.text))
	}
	w.Close()
	return b.Bytes()
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zstandard(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	defer w.Close()
	return w.EncodeAll(b, nil)
}

// layout are the files of an OCI layout.
func layout(layers ...[]byte) map[string][]byte {
	files := map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)}
	put := func(b []byte) descriptor {
		d := digestOfText(b)
		files[blobsFolder+strings.TrimPrefix(d, "sha256:")] = b
		return descriptor{Digest: d}
	}
	doc := func(v any) []byte { b, _ := json.Marshal(v); return b }
	m := manifest{Config: put([]byte(`{"os":"linux","architecture":"amd64"}`))}
	for _, l := range layers {
		m.Layers = append(m.Layers, put(l))
	}
	d := put(doc(m))
	d.Annotations = map[string]string{"org.opencontainers.image.ref.name": "example.com/a/demo:1.0"}
	files["index.json"] = doc(manifest{Manifests: []descriptor{d}})
	return files
}

func docker(layers ...[]byte) map[string][]byte {
	files := map[string][]byte{"config.json": []byte(`{"os":"linux","architecture":"arm64"}`)}
	s := saved{Config: "config.json", RepoTags: []string{"demo:1.0"}}
	for i, l := range layers {
		name := fmt.Sprintf("%d/layer.tar", i)
		files[name] = l
		s.Layers = append(s.Layers, name)
	}
	files["manifest.json"], _ = json.Marshal([]saved{s})
	return files
}

func archived(files map[string][]byte) []byte {
	var entries []entry
	for name, text := range files {
		entries = append(entries, entry{name, string(text)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return tarOf(entries...)
}

func written(t testing.TB, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func folderOf(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// contents lists the files of an image with their text, links with "-> ".
func contents(t *testing.T, f *Files) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
		case d.IsDir():
			all[name+"/"] = ""
		case d.Type()&fs.ModeSymlink != 0:
			to, lerr := f.ReadLink(name)
			all[name], err = "-> "+to, lerr
		default:
			text, rerr := fs.ReadFile(f, name)
			all[name], err = string(text), rerr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func opens(t *testing.T, b []byte) *Image {
	t.Helper()
	i, err := Open(t.Context(), written(t, b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

func TestForms(t *testing.T) {
	t.Parallel()
	low := tarOf(entry{"etc/", ""}, entry{"etc/os-release", "ID=demo\nPRETTY_NAME=\"Demo 1\"\n"}, entry{"a", "1"})
	high := tarOf(entry{"./b/c", "2"})
	want := map[string]string{"etc/": "", "etc/os-release": "ID=demo\nPRETTY_NAME=\"Demo 1\"\n", "a": "1", "b/": "", "b/c": "2"}
	for name, files := range map[string]map[string][]byte{
		"layout": layout(low, high), "gzip": layout(zipped(low), zipped(high)), "zstd": layout(zstandard(low), zstandard(high)),
		"docker": docker(low, high), "docker gzip": docker(zipped(low), high),
	} {
		digest, tag, platform := "", "demo:1.0", "linux/arm64"
		if index := files["index.json"]; index != nil {
			var m manifest
			json.Unmarshal(index, &m)
			digest, tag, platform = m.Manifests[0].Digest, "example.com/a/demo:1.0", "linux/amd64"
		} else {
			digest = digestOfText(files["config.json"])
		}
		tarred := archived(files)
		for form, path := range map[string]string{"tar": written(t, tarred), "tar.gz": written(t, zipped(tarred)), "tar.zst": written(t, zstandard(tarred)), "folder": folderOf(t, files)} {
			i, err := Open(t.Context(), path)
			if err != nil {
				t.Errorf("%s, %s: %v", name, form, err)
				continue
			}
			if diff := cmp.Diff(want, contents(t, i.Files)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, form, diff)
			}
			if i.Digest != digest || !slices.Equal(i.Tags, []string{tag}) || i.Platform != platform || i.System != "Demo 1" || len(i.Files.Lost()) > 0 {
				t.Errorf("%s, %s: %+v", name, form, i)
			}
			ref := exposure.AssetRef{Kind: exposure.AssetImage, Name: tag, OS: "Demo 1", Identifiers: []exposure.Identifier{{Kind: exposure.IDImage, Value: tag}, {Kind: exposure.IDDigest, Value: digest}}}
			if diff := cmp.Diff(ref, i.Asset("x")); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, form, diff)
			}
			if err := i.Close(); err != nil {
				t.Errorf("%s, %s: %v", name, form, err)
			}
		}
	}
}

func TestLayers(t *testing.T) {
	t.Parallel()
	type entries = []entry
	for name, c := range map[string]struct {
		layers []entries
		want   map[string]string
		lost   int
	}{
		"replaced":                 {[]entries{{{"a", "1"}}, {{"a", "2"}}}, map[string]string{"a": "2"}, 0},
		"taken away":               {[]entries{{{"d/a", "1"}, {"d/b", "2"}}, {{"d/.wh.a", ""}}}, map[string]string{"d/": "", "d/b": "2"}, 0},
		"a folder taken away":      {[]entries{{{"d/a", "1"}}, {{".wh.d", ""}}}, map[string]string{}, 0},
		"made anew, mark last":     {[]entries{{{"d/a", "1"}}, {{"d/b", "2"}, {".wh.d", ""}}}, map[string]string{"d/": "", "d/b": "2"}, 0},
		"emptied":                  {[]entries{{{"d/a", "1"}, {"d/e/f", "2"}}, {{"d/.wh..wh..opq", ""}, {"d/b", "3"}}}, map[string]string{"d/": "", "d/b": "3"}, 0},
		"emptied, mark last":       {[]entries{{{"d/a", "1"}, {"d/e/f", "2"}}, {{"d/e/g", "3"}, {"d/.wh..wh..opq", ""}}}, map[string]string{"d/": "", "d/e/": "", "d/e/g": "3"}, 0},
		"a mark of its own layer":  {[]entries{{{"a", "1"}, {".wh.a", ""}}}, map[string]string{"a": "1"}, 0},
		"a mark of nothing":        {[]entries{{{".wh.a", ""}}}, map[string]string{}, 0},
		"a folder over a file":     {[]entries{{{"a", "1"}}, {{"a/", ""}, {"a/b", "2"}}}, map[string]string{"a/": "", "a/b": "2"}, 0},
		"a file over a folder":     {[]entries{{{"a/b", "1"}}, {{"a", "2"}}}, map[string]string{"a": "2"}, 0},
		"hard link":                {[]entries{{{"a", "1"}}, {{"b => a", ""}}}, map[string]string{"a": "1", "b": "1"}, 0},
		"hard link to nothing":     {[]entries{{{"b => a", ""}}}, map[string]string{}, 1},
		"hard link out":            {[]entries{{{"b => ../../etc/passwd", ""}}}, map[string]string{}, 1},
		"hard link to a folder":    {[]entries{{{"a/", ""}, {"b => a", ""}}}, map[string]string{"a/": ""}, 1},
		"link":                     {[]entries{{{"d/a", "1"}, {"b -> d/a", ""}}}, map[string]string{"d/": "", "d/a": "1", "b": "-> d/a"}, 0},
		"through a link":           {[]entries{{{"usr/lib/", ""}, {"lib -> usr/lib", ""}}, {{"lib/a", "1"}}}, map[string]string{"usr/": "", "usr/lib/": "", "usr/lib/a": "1", "lib": "-> usr/lib"}, 0},
		"through an absolute link": {[]entries{{{"run/", ""}, {"var/run -> /run", ""}}, {{"var/run/a", "1"}}}, map[string]string{"run/": "", "run/a": "1", "var/": "", "var/run": "-> /run"}, 0},
		"through a link that leads up stays inside": {[]entries{{{"l -> ../../..", ""}, {"l/a", "1"}}}, map[string]string{"l": "-> ../../..", "a": "1"}, 0},
		"out":                {[]entries{{{"../a", "1"}, {"b/../../c", "2"}, {"d", "3"}}}, map[string]string{"d": "3"}, 2},
		"absolute":           {[]entries{{{"/etc/a", "1"}}}, map[string]string{"etc/": "", "etc/a": "1"}, 0},
		"devices":            {[]entries{{{"dev/null!", ""}}}, map[string]string{"dev/": ""}, 0},
		"device over a file": {[]entries{{{"a", "1"}}, {{"a!", ""}}}, map[string]string{}, 0},
		"loop":               {[]entries{{{"a -> b", ""}, {"b -> a", ""}, {"a/x", "1"}}}, map[string]string{"a": "-> b", "b": "-> a"}, 1},
		"long name":          {[]entries{{{strings.Repeat("a", 300), "1"}}}, map[string]string{}, 1},
		"deep":               {[]entries{{{strings.Repeat("a/", 300) + "b", "1"}}}, map[string]string{}, 1},
		"root":               {[]entries{{{"./", ""}, {"a", "1"}}}, map[string]string{"a": "1"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var layers [][]byte
			for _, l := range c.layers {
				layers = append(layers, tarOf(l...))
			}
			i := opens(t, archived(docker(layers...)))
			if diff := cmp.Diff(c.want, contents(t, i.Files)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(i.Files.Lost()) != c.lost {
				t.Errorf("left out: %v", i.Files.Lost())
			}
		})
	}
}

// Depth cannot be had by links either.
func TestDeepByLinks(t *testing.T) {
	t.Parallel()
	entries := []entry{{"l -> " + strings.Repeat("a/", 150), ""}, {strings.Repeat("a/", 150), ""}, {"l/" + strings.Repeat("b/", 100) + "c", "1"}}
	i := opens(t, archived(docker(tarOf(entries...))))
	if len(i.Files.Lost()) != 1 {
		t.Errorf("left out: %v", i.Files.Lost())
	}
}

func TestFileSystem(t *testing.T) {
	t.Parallel()
	i := opens(t, archived(layout(zipped(tarOf(entry{"a", "1"}, entry{"d/b", "22"}, entry{"l -> d/b", ""}, entry{"empty", ""})))))
	if err := fstest.TestFS(i.Files, "a", "d/b", "l", "empty"); err != nil {
		t.Error(err)
	}
	i = opens(t, archived(docker(tarOf(entry{"a", "1"}, entry{"d/b", "22"}, entry{"l -> d/b", ""}, entry{"gone -> nowhere", ""}))))
	if b, err := fs.ReadFile(i.Files, "l"); err != nil || string(b) != "22" {
		t.Errorf("%q, %v", b, err)
	}
	for _, bad := range []string{"gone", "nothing", "../a", "/a", "a/b"} {
		if _, err := i.Files.Open(bad); err == nil {
			t.Errorf("%s is there", bad)
		}
	}
	if _, err := i.Files.ReadDir("a"); err == nil {
		t.Error("a file was listed")
	}
}

func TestBadImages(t *testing.T) {
	t.Parallel()
	good := layout(tarOf(entry{"a", "1"}))
	with := func(change func(map[string][]byte)) []byte {
		files := layout(tarOf(entry{"a", "1"}))
		change(files)
		return archived(files)
	}
	index := func(text string) []byte {
		return with(func(f map[string][]byte) { f["index.json"] = []byte(text) })
	}
	zeros := make([]byte, 64<<20)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":                 {nil, "not an image"},
		"no tar":                {[]byte(strings.Repeat("no tar ", 500)), "no tar archive"},
		"nothing in it":         {tarOf(), "not an image"},
		"another archive":       {tarOf(entry{"a", "1"}), "not an image"},
		"cut off":               {archived(good)[:3000], "cannot be read"},
		"cut off gzip":          {zipped(archived(good))[:200], "cannot be read"},
		"index of nothing":      {index(`{}`), "names none"},
		"index is no JSON":      {index(`{`), "index.json"},
		"other digest":          {index(`{"manifests":[{"digest":"md5:1"}]}`), "no SHA-256"},
		"path for a digest":     {index(`{"manifests":[{"digest":"sha256:../../../etc/passwd"}]}`), "no SHA-256"},
		"missing manifest":      {index(`{"manifests":[{"digest":"sha256:` + strings.Repeat("0", 64) + `"}]}`), "file does not exist"},
		"several":               {index(`{"manifests":[{"digest":"sha256:a"},{"digest":"sha256:b"}]}`), "holds 2 images"},
		"two saved":             {archived(map[string][]byte{"manifest.json": []byte(`[{},{}]`)}), "holds 2 images"},
		"no layers":             {archived(map[string][]byte{"manifest.json": []byte(`[{"Config":"c"}]`)}), "no layers"},
		"saved path out":        {archived(map[string][]byte{"manifest.json": []byte(`[{"Config":"c","Layers":["../../etc/passwd"]}]`)}), "file does not exist"},
		"saved link loop":       {tarOf(entry{"manifest.json", `[{"Config":"c","Layers":["l"]}]`}, entry{"l -> l", ""}, entry{"c -> c", ""}), "file does not exist"},
		"layer is no tar":       {archived(docker([]byte(strings.Repeat("x", 2000)))), "0/layer.tar"},
		"manifest is too large": {archived(map[string][]byte{"manifest.json": zeros[:maxDocument+1]}), "up to"},
		"bomb":                  {archived(docker(zipped(tarOf(entry{"a", string(zeros)})))), "grows more than"},
		"outer bomb":            {zipped(tarOf(entry{"a", string(zeros)})), "grows more than"},
		"large":                 {archived(docker(zstandard(tarOf(entry{"a", string(zeros)}, entry{"b", string(zeros)})), tarOf())), "is unpacked"},
		"many files":            {archived(docker(tarOf(slices.Repeat([]entry{{"a", ""}}, 2000)...))), "more than 1000 files"},
		"many layers":           {archived(docker(slices.Repeat([][]byte{tarOf()}, 40)...)), "40 layers"},
		"damaged layer": {with(func(f map[string][]byte) {
			for name, text := range f {
				if bytes.HasPrefix(text, []byte("a\x00")) {
					f[name] = bytes.Replace(text, []byte("1"), []byte("2"), 1)
				}
			}
		}), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lim := limits{bytes: 100 << 20, ratio: 200, free: 1 << 20, entries: 1000, layers: 32, depth: 100}
			i, err := open(t.Context(), written(t, c.file), lim)
			if err == nil {
				i.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if kind := exposure.KindOf(err); kind != exposure.Invalid {
				t.Errorf("%v: %v", kind, err)
			}
		})
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "no")); exposure.KindOf(err) != exposure.NotFound {
		t.Errorf("a missing file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, written(t, zipped(archived(good)))); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Links in a directory do not lead out of it.
func TestFolderLinks(t *testing.T) {
	t.Parallel()
	dir := folderOf(t, layout(tarOf(entry{"a", "1"})))
	secret := written(t, []byte("secret"))
	index := filepath.Join(dir, "index.json")
	if err := errors.Join(os.Remove(index), os.Symlink(secret, index)); err != nil {
		t.Fatal(err)
	}
	if i, err := Open(t.Context(), dir); err == nil {
		i.Close()
		t.Error("the link was followed")
	}
}

// What is left in the temporary directory after Close: nothing.
func TestNothingLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	i, err := Open(t.Context(), written(t, zipped(archived(layout(zipped(tarOf(entry{"a", "1"})))))))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "leeward-image-*")); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(tarOf(entry{"a", "1"}, entry{"l -> a", ""}, entry{"h => a", ""}, entry{"d/.wh.x", ""}), tarOf(entry{"d/.wh..wh..opq", ""}, entry{"../x", ""}, entry{"l/y", "2"}))
	f.Add(zipped(tarOf(entry{"usr/lib/", ""}, entry{"lib -> /usr/lib", ""})), zstandard(tarOf(entry{"lib/b", "2"}, entry{"c!", ""})))
	f.Fuzz(func(t *testing.T, low, high []byte) {
		lim := limits{bytes: 1 << 20, ratio: 100, free: 1 << 16, entries: 1000, layers: 10, depth: 50}
		i := &Image{decompressed: newSpool(lim), source: nothing{}}
		defer i.Close()
		if err := i.read(t.Context(), memory(docker(low, high)), lim); err != nil {
			return
		}
		entries := 0
		err := fs.WalkDir(i.Files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entries++; !fs.ValidPath(name) || entries > 200_000 {
				t.Fatalf("%d: %q", entries, name)
			}
			if d.Type().IsRegular() {
				_, err = fs.ReadFile(i.Files, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
