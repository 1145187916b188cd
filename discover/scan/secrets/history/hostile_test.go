package history

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func deflated(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// maker makes repositories as a stranger would: objects have the names that it
// gives them.
type maker struct {
	t     testing.TB
	files fstest.MapFS
}

func newMaker(t testing.TB) *maker {
	return &maker{t, fstest.MapFS{".git/HEAD": {Data: []byte("ref: refs/heads/main\n")}, ".git/objects/info/x": {}, ".git/refs/heads/x": {Data: []byte("nothing")}}}
}

func idOf(name string) ID { return ID(sha1.Sum([]byte(name))) }

func (m *maker) loose(id ID, kind, text string) ID {
	return m.raw(id, []byte(fmt.Sprintf("%s %d\x00%s", kind, len(text), text)))
}

func (m *maker) raw(id ID, text []byte) ID {
	name := id.String()
	m.files[".git/objects/"+name[:2]+"/"+name[2:]] = &fstest.MapFile{Data: deflated(m.t, text)}
	return id
}

func (m *maker) head(id ID) {
	m.files[".git/refs/heads/main"] = &fstest.MapFile{Data: []byte(id.String() + "\n")}
}

func (m *maker) commit(name string, tree ID, parents ...ID) ID {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	b.WriteString("author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nx\n")
	return m.loose(idOf(name), "commit", b.String())
}

func line(mode, name string, id ID) string { return mode + " " + name + "\x00" + string(id[:]) }

func (m *maker) tree(name string, lines ...string) ID {
	return m.loose(idOf(name), "tree", strings.Join(lines, ""))
}

// packed is an object of a pack; what is after its header is data.
type packed struct {
	id   ID
	kind kind
	size int
	head []byte // of a delta: what it is made from
	data []byte
}

// pack writes a pack with its index. Objects get where they lie.
func (m *maker) pack(all []packed, offsets func(i int, at int64, earlier []int64) []byte) {
	var body bytes.Buffer
	body.WriteString("PACK\x00\x00\x00\x02")
	_ = binary.Write(&body, binary.BigEndian, uint32(len(all)))
	at := make([]int64, len(all))
	for i, o := range all {
		at[i] = int64(body.Len())
		c, size := byte(o.kind)<<4|byte(o.size&15), o.size>>4
		for ; size > 0; size >>= 7 {
			body.WriteByte(c | 0x80)
			c = byte(size & 0x7f)
		}
		body.WriteByte(c)
		if o.kind == kindOffDelta {
			body.Write(offsets(i, at[i], at))
		}
		body.Write(o.head)
		body.Write(deflated(m.t, o.data))
	}
	sum := sha1.Sum(body.Bytes())
	body.Write(sum[:])
	m.files[".git/objects/pack/pack-1.pack"] = &fstest.MapFile{Data: body.Bytes()}

	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(all[a].id[:], all[b].id[:]) })
	var idx bytes.Buffer
	idx.WriteString("\xfftOc\x00\x00\x00\x02")
	for c := range 256 {
		n := uint32(0)
		for _, o := range all {
			if int(o.id[0]) <= c {
				n++
			}
		}
		_ = binary.Write(&idx, binary.BigEndian, n)
	}
	for _, i := range order {
		idx.Write(all[i].id[:])
	}
	idx.Write(make([]byte, 4*len(all)))
	for _, i := range order {
		_ = binary.Write(&idx, binary.BigEndian, uint32(at[i]))
	}
	idx.Write(make([]byte, 40))
	m.files[".git/objects/pack/pack-1.idx"] = &fstest.MapFile{Data: idx.Bytes()}
}

// back writes how far before itself a delta's base lies.
func back(n int64) []byte {
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		out = append([]byte{byte(n&0x7f) | 0x80}, out...)
	}
	return out
}

func read(t testing.TB, m *maker, limits Limits) (texts map[string]string, problems []error) {
	t.Helper()
	r, err := Open(m.files, limits)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := r.Walk(ctx); err != nil {
		t.Fatal(err)
	}
	texts = map[string]string{}
	if err := r.Each(ctx, func(b Blob, text []byte) bool {
		texts[b.Path] = string(text)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return texts, r.Problems()
}

func TestReads(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	base := strings.Repeat("a line of text\n", 40)
	tree := m.tree("t", line("100644", "loose", m.loose(idOf("l"), "blob", "hello")), line("100644", "base", idOf("b")), line("100644", "off", idOf("o")), line("100644", "ref", idOf("r")),
		line("40000", "dir", m.tree("d", line("100755", "x", idOf("l2")))), line("120000", "link", idOf("l")), line("160000", "module", idOf("m")))
	m.loose(idOf("l2"), "blob", "x")
	size := binary.AppendUvarint(nil, uint64(len(base)))
	change := slices.Concat(size, binary.AppendUvarint(nil, 20), []byte{0x80 | 0x10, 15, 5}, []byte("more\n"))
	second := slices.Concat(binary.AppendUvarint(nil, 20), binary.AppendUvarint(nil, 5), []byte{0x80 | 0x01 | 0x10, 15, 5})
	off, ref := idOf("o"), idOf("r")
	m.pack([]packed{{idOf("b"), kindBlob, len(base), nil, []byte(base)}, {off, kindOffDelta, len(change), nil, change}, {ref, kindRefDelta, len(second), off[:], second}},
		func(i int, at int64, earlier []int64) []byte { return back(at - earlier[i-1]) })
	m.head(m.commit("c2", tree, m.commit("c1", m.tree("t0", line("100644", "old", idOf("l2"))))))
	got, problems := read(t, m, DefaultLimits())
	want := map[string]string{"loose": "hello", "base": base, "off": "a line of text\nmore\n", "ref": "more\n", "old": "x"}
	if len(problems) > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, %v", got, problems)
	}
}

// Everything that a repository can lie about is bounded, told, and costs no more
// than the object that it is about.
func TestHostile(t *testing.T) {
	t.Parallel()
	small := Limits{Commits: 50, Objects: 200, Object: 1 << 20, Work: 64 << 20, Cache: 1 << 20, Index: 1 << 20}
	plain := func(i int, at int64, earlier []int64) []byte { return back(at - earlier[i-1]) }
	for name, tt := range map[string]struct {
		make func(m *maker)
		want string
	}{
		"commits in a circle": {func(m *maker) {
			m.head(m.commit("a", m.tree("t"), idOf("b")))
			m.commit("b", m.tree("t"), idOf("a"))
		}, ""},
		"trees in a circle": {func(m *maker) { m.head(m.commit("c", m.tree("t", line("40000", "d", idOf("t"))))) }, ""},
		"missing tree":      {func(m *maker) { m.head(m.commit("c", idOf("none"))) }, "not there"},
		"missing file":      {func(m *maker) { m.head(m.commit("c", m.tree("t", line("100644", "f", idOf("none"))))) }, "not there"},
		"tree for a file": {func(m *maker) {
			m.head(m.commit("c", m.tree("t", line("100644", "f", m.loose(idOf("x"), "commit", "tree x\n")))))
		}, "not a file"},
		"broken tree":     {func(m *maker) { m.head(m.commit("c", m.loose(idOf("t"), "tree", "100644 name-without-end"))) }, "broken"},
		"slash in a name": {func(m *maker) { m.head(m.commit("c", m.tree("t", line("100644", "../../etc/x", idOf("x"))))) }, "broken"},
		"deep trees": {func(m *maker) {
			id := m.tree("t")
			for i := range 180 {
				id = m.tree(fmt.Sprint("t", i), line("40000", "d", id))
			}
			m.head(m.commit("c", id))
		}, "nested too deeply"},
		"many commits": {func(m *maker) {
			tree := m.tree("t")
			id := m.commit("c", tree)
			for i := range 80 {
				id = m.commit(fmt.Sprint("c", i), tree, id)
			}
			m.head(id)
		}, "more than 50 commits"},
		"many files": {func(m *maker) {
			var lines []string
			for i := range 300 {
				lines = append(lines, line("100644", fmt.Sprint("f", i), idOf(fmt.Sprint(i))))
			}
			m.head(m.commit("c", m.tree("t", lines...)))
		}, "more than 200 versions"},
		"lie about length": {func(m *maker) {
			m.head(m.commit("c", m.tree("t", line("100644", "f", m.raw(idOf("x"), []byte("blob 5\x00hello and more"))))))
		}, "does not end after 5"},
		"short": {func(m *maker) {
			m.head(m.commit("c", m.tree("t", line("100644", "f", m.raw(idOf("x"), []byte("blob 500\x00hello"))))))
		}, "it ends after 5"},
		"negative":  {func(m *maker) { m.head(m.raw(idOf("x"), []byte("blob -5\x00hello"))) }, "broken"},
		"no header": {func(m *maker) { m.head(m.raw(idOf("x"), bytes.Repeat([]byte("x"), 100))) }, "broken"},
		"no zlib": {func(m *maker) {
			m.head(m.loose(idOf("x"), "blob", "x"))
			n := idOf("x").String()
			m.files[".git/objects/"+n[:2]+"/"+n[2:]].Data = []byte("no")
		}, "broken"},
		"bomb": {func(m *maker) {
			m.head(m.commit("c", m.tree("t", line("100644", "f", m.loose(idOf("x"), "blob", strings.Repeat("x", 4<<20))))))
		}, "too large"},
		"large binary": {func(m *maker) {
			m.head(m.commit("c", m.tree("t", line("100644", "f", m.loose(idOf("x"), "blob", strings.Repeat("\x00", 4<<20))))))
		}, ""},
		"claims a terabyte": {func(m *maker) { m.head(m.raw(idOf("x"), []byte("blob 1099511627776\x00x"))) }, "too large"},
		"alternates outside": {func(m *maker) {
			m.head(m.commit("c", m.tree("t")))
			m.files[".git/objects/info/alternates"] = &fstest.MapFile{Data: []byte("/etc/objects\n../../../other\n")}
		}, "outside of what is scanned"},
		"alternates in a circle": {func(m *maker) {
			m.head(m.commit("c", m.tree("t")))
			m.files[".git/objects/info/alternates"] = &fstest.MapFile{Data: []byte("../objects\n.\n")}
		}, ""},
		"delta of itself": {func(m *maker) {
			id := idOf("x")
			m.pack([]packed{{id, kindRefDelta, 2, id[:], []byte{0, 0}}}, plain)
			m.head(id)
		}, "deltas behind each other"},
		"deltas of each other": {func(m *maker) {
			a, b := idOf("a"), idOf("b")
			m.pack([]packed{{a, kindRefDelta, 2, b[:], []byte{0, 0}}, {b, kindRefDelta, 2, a[:], []byte{0, 0}}}, plain)
			m.head(a)
		}, "deltas behind each other"},
		"base before the pack": {func(m *maker) {
			m.pack([]packed{{idOf("x"), kindBlob, 1, nil, []byte("x")}, {idOf("y"), kindOffDelta, 2, nil, []byte{0, 0}}}, func(int, int64, []int64) []byte { return back(1 << 30) })
			m.head(idOf("y"))
		}, "outside of the pack"},
		"delta copies too much": {func(m *maker) {
			m.pack([]packed{{idOf("x"), kindBlob, 1, nil, []byte("x")}, {idOf("y"), kindOffDelta, 4, nil, []byte{1, 9, 0x80 | 0x10, 9}}}, plain)
			m.head(idOf("y"))
		}, "broken"},
		"delta makes a bomb": {func(m *maker) {
			change := binary.AppendUvarint([]byte{1}, 1<<40)
			m.pack([]packed{{idOf("x"), kindBlob, 1, nil, []byte("x")}, {idOf("y"), kindOffDelta, len(change), nil, change}}, plain)
			m.head(idOf("y"))
		}, "too large"},
		"delta of another base": {func(m *maker) {
			m.pack([]packed{{idOf("x"), kindBlob, 1, nil, []byte("x")}, {idOf("y"), kindOffDelta, 3, nil, []byte{7, 1, 1}}}, plain)
			m.head(idOf("y"))
		}, "made for another"},
		"much work": {func(m *maker) {
			var all []packed
			var lines []string
			text := bytes.Repeat([]byte("x"), 1<<20)
			for i := range 100 {
				id := idOf(fmt.Sprint(i))
				all = append(all, packed{id, kindBlob, len(text), nil, text})
				lines = append(lines, line("100644", fmt.Sprint("f", i), id))
			}
			m.pack(all, nil)
			m.head(m.commit("c", m.tree("t", lines...)))
		}, "a limit stopped it"},
		"broken index": {func(m *maker) {
			m.head(m.commit("c", m.tree("t")))
			m.files[".git/objects/pack/p.idx"] = &fstest.MapFile{Data: bytes.Repeat([]byte("\xff"), 2_000)}
		}, "the index"},
		"index of many": {func(m *maker) {
			m.head(m.commit("c", m.tree("t")))
			m.files[".git/objects/pack/p.idx"] = &fstest.MapFile{Data: append([]byte("\xfftOc\x00\x00\x00\x02"), bytes.Repeat([]byte("\x7f"), 2_000)...)}
		}, "broken"},
		"large index": {func(m *maker) {
			m.head(m.commit("c", m.tree("t")))
			m.files[".git/objects/pack/p.idx"] = &fstest.MapFile{Data: make([]byte, 2<<20)}
		}, "more than"},
		"no pack": {func(m *maker) { m.pack(nil, nil); delete(m.files, ".git/objects/pack/pack-1.pack") }, "pack-1"},
		"shallow": {func(m *maker) {
			m.head(m.commit("c", m.tree("t"), idOf("none")))
			m.files[".git/shallow"] = &fstest.MapFile{Data: []byte(idOf("c").String() + "\n")}
		}, "shallow"},
		"partial": {func(m *maker) {
			m.files[".git/config"] = &fstest.MapFile{Data: []byte("[remote \"o\"]\n\tpromisor = true\n")}
		}, "partial"},
		"head in a circle": {func(m *maker) {
			m.files[".git/HEAD"].Data = []byte("ref: refs/heads/main")
			m.files[".git/refs/heads/main"] = &fstest.MapFile{Data: []byte("ref: refs/heads/main")}
		}, ""},
		"head outside": {func(m *maker) { m.files[".git/HEAD"].Data = []byte("ref: refs/../../../etc/passwd") }, ""},
		"tags of tags": {func(m *maker) {
			m.head(m.loose(idOf("a"), "tag", "object "+idOf("a").String()+"\n"))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMaker(t)
			tt.make(m)
			start := time.Now()
			_, problems := read(t, m, small)
			told := fmt.Sprint(problems)
			if tt.want == "" && len(problems) > 0 || tt.want != "" && !strings.Contains(told, tt.want) {
				t.Errorf("%s, want %q", told, tt.want)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if len(problems) > maxProblems+1 {
				t.Errorf("%d problems were told", len(problems))
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for want, files := range map[string]fstest.MapFS{
		ErrNone.Error(): {"a": {}},
		"outside":       {".git": {Data: []byte("gitdir: /elsewhere\n")}},
		"sha256":        {".git/config": {Data: []byte("[extensions]\n\tobjectformat = sha256\n")}},
		"only files":    {".git/config": {Data: []byte("[extensions]\n\trefStorage = reftable\n")}},
	} {
		if _, err := Open(files, DefaultLimits()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	bare := fstest.MapFS{"HEAD": {Data: []byte("ref: refs/heads/main")}, "objects/x": {}, "refs/x": {}}
	if _, err := Open(bare, DefaultLimits()); err != nil {
		t.Errorf("a bare repository: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	m.head(m.commit("c", m.tree("t")))
	r, err := Open(m.files, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Walk(ctx); err == nil {
		t.Error("it went on")
	}
}

// Whatever a pack, its index and a delta say, reading ends and stays within bounds.
func FuzzRepository(f *testing.F) {
	m := newMaker(f)
	commit := fmt.Sprintf("tree %s\ncommitter A <a@b> 1 +0000\n\n", idOf("t"))
	tree := line("100644", "f", idOf("y"))
	change := []byte{5, 9, 0x80 | 0x10, 5, 4, 'm', 'o', 'r', 'e'}
	m.pack([]packed{{idOf("c"), kindCommit, len(commit), nil, []byte(commit)}, {idOf("t"), kindTree, len(tree), nil, []byte(tree)}, {idOf("x"), kindBlob, 5, nil, []byte("hello")}, {idOf("y"), kindOffDelta, len(change), nil, change}},
		func(i int, at int64, earlier []int64) []byte { return back(at - earlier[i-1]) })
	m.head(idOf("c"))
	if got, problems := read(f, m, DefaultLimits()); len(problems) > 0 || got["f"] != "hellomore" {
		f.Fatalf("%q, %v", got, problems)
	}
	f.Add(m.files[".git/objects/pack/pack-1.pack"].Data, m.files[".git/objects/pack/pack-1.idx"].Data, []byte("hello"), change)
	f.Fuzz(func(t *testing.T, pack, index, base, change []byte) {
		m := newMaker(t)
		m.head(idOf("c"))
		m.files[".git/objects/pack/pack-1.pack"] = &fstest.MapFile{Data: pack}
		m.files[".git/objects/pack/pack-1.idx"] = &fstest.MapFile{Data: index}
		limits := Limits{Commits: 50, Objects: 200, Object: 1 << 16, Work: 1 << 20, Cache: 1 << 16, Index: 1 << 16}
		texts, _ := read(t, m, limits)
		for path, text := range texts {
			if int64(len(text)) > limits.Object {
				t.Errorf("%q has %d bytes", path, len(text))
			}
		}
		r := &Repository{limits: limits}
		if out, err := r.apply(base, change, limits.Object); err == nil && int64(len(out)) > limits.Object {
			t.Errorf("a delta made %d bytes", len(out))
		}
		if _, err := parseTree(change); err == nil && cmp.Compare(len(change), 22) < 0 && len(change) > 0 {
			t.Error("a tree is shorter than an entry")
		}
	})
}
