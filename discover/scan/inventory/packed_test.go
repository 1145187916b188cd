package inventory_test

import (
	"archive/zip"
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

// twins looks at a tree that is affected and at one that is not.
func twins(t *testing.T, k kept, bad, good fstest.MapFS, want exposure.Component) {
	t.Helper()
	for _, c := range []struct {
		files fstest.MapFS
		rules []string
	}{{bad, []string{"TEST-1"}}, {good, []string{}}} {
		all, errs := scantest.Run(t, inventory.New(k), directory(c.files))
		if len(errs) > 0 {
			t.Error(errs)
		}
		if diff := cmp.Diff(c.rules, scantest.Rules(all)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !scantest.Covered(all, "inventory", "", exposure.Location{}) {
			t.Error("nothing is covered")
		}
		for _, o := range all {
			if o.Kind == exposure.ObservedWeakness {
				if diff := cmp.Diff(want, o.Component); diff != "" || o.Detection != exposure.DetectionAuthenticated {
					t.Errorf("%v (-want +got):\n%s", o.Detection, diff)
				}
			}
		}
	}
}

func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(files[i+1]))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jar(t testing.TB, version string) []byte {
	return zipOf(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n", "META-INF/maven/org.example/demo/pom.properties", "#made\nversion="+version+"\ngroupId=org.example\nartifactId=demo\n")
}

func TestJars(t *testing.T) {
	t.Parallel()
	k := kept{}
	k.advise("Maven", "org.example:demo", "TEST-1", "2.0")
	in := func(name string, b []byte) fstest.MapFS { return fstest.MapFS{name: {Data: b}} }
	c := exposure.Component{Purl: "pkg:maven/org.example/demo@1.9", Name: "org.example:demo", Version: "1.9", Path: "lib/demo.jar", Fixed: "2.0"}
	twins(t, k, in("lib/demo.jar", jar(t, "1.9")), in("lib/demo.jar", jar(t, "2.0")), c)

	fat := func(version string) []byte {
		return zipOf(t, "WEB-INF/lib/demo.jar", string(jar(t, version)), "META-INF/maven/org.example/app/pom.properties", "version=1\ngroupId=org.example\nartifactId=app\n")
	}
	c.Path = "app.war!WEB-INF/lib/demo.jar"
	twins(t, k, in("app.war", fat("1.9")), in("app.war", fat("2.0")), c)

	all, errs := scantest.Run(t, inventory.New(k), directory(in("lib/demo-1.9.jar", zipOf(t, "a.class", "x"))))
	want := exposure.Component{Name: "demo", Version: "1.9", Path: "lib/demo-1.9.jar"}
	if len(errs) > 0 || all[0].Component != want {
		t.Errorf("a jar that Maven did not make: %+v, %v", all, errs)
	}
}

func TestBadJars(t *testing.T) {
	t.Parallel()
	deep := jar(t, "1.9")
	for range 5 {
		deep = zipOf(t, "inner.jar", string(deep))
	}
	many := zipOf(t, "a", "x")
	end := bytes.LastIndex(many, []byte("PK\x05\x06"))
	binary.LittleEndian.PutUint32(many[end+12:], 1<<31)
	for name, b := range map[string][]byte{
		"empty": {}, "no zip": []byte(strings.Repeat("no zip", 100)), "cut off": jar(t, "1.9")[:150], "deep": deep,
		"a bomb": zipOf(t, "inner.jar", strings.Repeat("\x00", 70<<20)), "long properties": zipOf(t, "META-INF/maven/a/b/pom.properties", strings.Repeat("a", 2<<20)), "many files": many,
	} {
		all, errs := scantest.Run(t, inventory.New(kept{}), directory(fstest.MapFS{"x.jar": {Data: b}}))
		if len(errs) == 0 || scantest.Covered(all, "inventory", "", exposure.Location{}) {
			t.Errorf("%s: %v, %v", name, all, errs)
		}
	}
}

// rpmHeader is one of RPM, see headerOf.
func rpmHeader(name, version, release string, epoch uint32, padding int) []byte {
	var data []byte
	var tags []uint32
	text := func(tag uint32, s string) {
		tags = append(tags, tag, 6, uint32(len(data)), 1)
		data = append(append(data, s...), 0)
	}
	text(1000, name)
	text(1001, version)
	text(1002, release)
	text(1014, "MIT")
	text(1022, "x86_64")
	text(1044, name+"-"+version+".src.rpm")
	text(1004, strings.Repeat("x", padding)) // the summary
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	tags = append(tags, 1003, 4, uint32(len(data)), 1)
	data = binary.BigEndian.AppendUint32(data, epoch)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(tags)/4))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	for _, v := range tags {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return append(b, data...)
}

func rpmDatabase(t testing.TB, rows ...[]byte) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE Name(key TEXT, hnum INTEGER); CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if _, err := db.Exec("INSERT INTO Packages(blob) VALUES (?)", row); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// berkeley is a database of one value on pages of 512 bytes.
func berkeley(order binary.ByteOrder, value []byte) []byte {
	const size = 512
	page := func(kind byte) []byte { p := make([]byte, size); p[25] = kind; return p }
	meta, hash := page(8), page(13)
	order.PutUint32(meta[12:], 0x61561)
	order.PutUint32(meta[20:], size)
	order.PutUint16(hash[20:], 2)
	order.PutUint16(hash[26:], 500)
	order.PutUint16(hash[28:], 480)
	hash[500], hash[480] = 1, 3
	order.PutUint32(hash[484:], 2)
	order.PutUint32(hash[488:], uint32(len(value)))
	b := append(meta, hash...)
	for n := uint32(2); len(value) > 0; n++ {
		p := page(7)
		held := copy(p[26:], value)
		value = value[held:]
		order.PutUint16(p[22:], uint16(held))
		if len(value) > 0 {
			order.PutUint32(p[16:], n+1)
		}
		b = append(b, p...)
	}
	order.PutUint32(b[32:], uint32(len(b)/size-1))
	return b
}

func rooted(file string, b []byte) fstest.MapFS {
	files := texts("etc/os-release", "ID=\"rocky\"\nVERSION_ID=\"9.4\"\n")
	files[file] = &fstest.MapFile{Data: b, Mode: 0o644}
	return files
}

func TestRPM(t *testing.T) {
	t.Parallel()
	k := kept{}
	k.advise("Rocky Linux:9", "demo", "TEST-1", "1:1.2-2.el9")
	for file, make := range map[string]func(release string) []byte{
		"var/lib/rpm/rpmdb.sqlite": func(release string) []byte {
			rows := [][]byte{rpmHeader("gpg-pubkey", "1", "1", 0, 0)}
			for i := range 200 { // so that there are pages between
				rows = append(rows, rpmHeader(fmt.Sprint("other", i), "1", "1", 0, 100*i))
			}
			return rpmDatabase(t, append(rows, rpmHeader("demo", "1.2", release, 1, 50_000))...)
		},
		"var/lib/rpm/Packages": func(release string) []byte {
			return berkeley(binary.LittleEndian, rpmHeader("demo", "1.2", release, 1, 3000))
		},
		"usr/lib/sysimage/rpm/Packages": func(release string) []byte {
			return berkeley(binary.BigEndian, rpmHeader("demo", "1.2", release, 1, 3000))
		},
	} {
		twins(t, k, rooted(file, make("1.el9")), rooted(file, make("2.el9")), exposure.Component{
			Purl: "pkg:rpm/rocky/demo@1.2-1.el9?arch=x86_64&distro=rocky-9.4&epoch=1&sourcerpm=demo-1.2.src.rpm",
			Name: "demo", Version: "1.2-1.el9", Path: file, Fixed: "1:1.2-2.el9", License: "MIT",
		})
	}
	all, _ := scantest.Run(t, inventory.New(k), directory(rooted("var/lib/rpm/rpmdb.sqlite", rpmDatabase(t, rpmHeader("gpg-pubkey", "1", "1", 0, 0), rpmHeader("a", "1", "1", 0, 0)))))
	if len(all) != 2 {
		t.Errorf("a key counts as a package: %+v", all)
	}
}

func TestBadRPM(t *testing.T) {
	t.Parallel()
	good := rpmDatabase(t, rpmHeader("demo", "1", "1", 0, 20_000))
	claim := rpmHeader("demo", "1", "1", 0, 0)
	binary.BigEndian.PutUint32(claim, 1<<31-1)
	loop := berkeley(binary.LittleEndian, rpmHeader("demo", "1", "1", 0, 3000))
	binary.LittleEndian.PutUint32(loop[3*512+16:], 2)
	binary.LittleEndian.PutUint32(loop[512+488:], 60<<20)
	for name, files := range map[string]fstest.MapFS{
		"empty":      rooted("var/lib/rpm/rpmdb.sqlite", nil),
		"other":      rooted("var/lib/rpm/Packages.db", []byte("RpmP"+strings.Repeat("x", 100))),
		"cut off":    rooted("var/lib/rpm/rpmdb.sqlite", good[:len(good)-4096]),
		"no table":   rooted("var/lib/rpm/rpmdb.sqlite", bytes.ReplaceAll(good, []byte("Packages"), []byte("Luggages"))),
		"claims":     rooted("var/lib/rpm/rpmdb.sqlite", rpmDatabase(t, claim)),
		"nameless":   rooted("var/lib/rpm/rpmdb.sqlite", rpmDatabase(t, rpmHeader("", "1", "1", 0, 0))),
		"cut off db": rooted("var/lib/rpm/Packages", loop[:1024]),
	} {
		all, errs := scantest.Run(t, inventory.New(kept{}), directory(files))
		if len(errs) == 0 || scantest.Covered(all, "inventory", "", exposure.Location{}) {
			t.Errorf("%s: %v, %v", name, all, errs)
		}
	}
	// The loop gives a value of the length that it claims, and no more.
	scantest.Run(t, inventory.New(kept{}), directory(rooted("var/lib/rpm/Packages", loop)))

	log := rooted("var/lib/rpm/rpmdb.sqlite", good)
	log["var/lib/rpm/rpmdb.sqlite-wal"] = &fstest.MapFile{Data: []byte("x")}
	if _, errs := scantest.Run(t, inventory.New(kept{}), directory(log)); len(errs) != 1 || !strings.Contains(errs[0].Error(), "stands in its log") {
		t.Errorf("changes in the log: %v", errs)
	}
}

// A binary says which modules it was built from.
func TestGoBinary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a program")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/own\n\ngo 1.20\n\nrequire example.com/mod v1.1.0\n\nreplace example.com/mod v1.1.0 => ./mod\n", "main.go": "package main\n\nimport \"example.com/mod\"\n\nfunc main() { mod.Do() }\n",
		"mod/go.mod": "module example.com/mod\n\ngo 1.20\n", "mod/mod.go": "package mod\n\nfunc Do() {}\n",
	} {
		name = filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(name), 0o755)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", "demo", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	k := kept{}
	k.advise("Go", "stdlib", "TEST-1", "99.0.0")
	all, errs := scantest.Run(t, inventory.New(k), scan.Job{Target: scan.Target{Kind: scan.Directory, Files: root.FS()}})
	if len(errs) > 1 { // the module that was replaced by a directory has no version
		t.Error(errs)
	}
	if !slices.ContainsFunc(all, func(o exposure.Observation) bool {
		return o.Kind == exposure.ObservedWeakness && o.Location.File == "demo" && o.Detection == exposure.DetectionAuthenticated
	}) {
		t.Errorf("the library of the binary is not found: %+v", all)
	}
}
