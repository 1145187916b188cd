package intel_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// kevText is a catalogue of a day with n entries; each of more stands at its end.
func kevText(day string, n int, more ...string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"cveID":"CVE-2025-%04d","dateAdded":"2025-09-01","dueDate":"2025-09-22","knownRansomwareCampaignUse":"Unknown"}`, i))
	}
	all = append(all, more...)
	return fmt.Sprintf(`{"title":"CISA Catalog","catalogVersion":"2025","dateReleased":"%sT12:00:00.0000Z","count":%d,"vulnerabilities":[%s]}`, day, len(all), strings.Join(all, ","))
}

func epssText(day string, n int, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#model_version:v2025.03.14,score_date:%sT00:00:00+0000\ncve,epss,percentile\n", day)
	for i := range n {
		fmt.Fprintf(&b, "CVE-2025-%04d,0.01,0.5\n", i)
	}
	return b.String() + strings.Join(more, "")
}

func nvdText(day string, n int, more ...string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"cve":{"id":"CVE-2025-%04d","published":"2025-02-17T10:15:08.543"}}`, i))
	}
	all = append(all, more...)
	return fmt.Sprintf(`{"resultsPerPage":%d,"startIndex":0,"totalResults":%d,"format":"NVD_CVE","version":"2.0","timestamp":"%sT03:00:01.473","vulnerabilities":[%s]}`, len(all), len(all), day, strings.Join(all, ","))
}

func osvText(day string, n int, more ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range n {
		w, _ := z.Create(fmt.Sprintf("%d.json", i))
		fmt.Fprintf(w, `{"id":"GO-2025-%04d","modified":"%sT00:00:00Z","published":"2025-01-01T00:00:00Z"}`, i, day)
	}
	for i, m := range more {
		w, _ := z.Create(fmt.Sprintf("more-%d.json", i))
		io.WriteString(w, m)
	}
	z.Close()
	return b.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// bomb is an archive whose entries are so many zeros each; they cost little.
func bomb(entries, size int) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	zeros := make([]byte, size)
	for i := range entries {
		w, _ := z.Create(fmt.Sprintf("%d.json", i))
		w.Write(zeros)
	}
	z.Close()
	return b.String()
}

// lied is an archive that says of an entry that it is short, while it unpacks to
// much more.
func lied(size int) string {
	return patched(bomb(1, size), 24, 10, 0, 0, 0)
}

// wrongEntry is an archive that states another checksum for its first entry.
func wrongEntry(archive string) string {
	return patched(archive, 16, 1, 2, 3, 4)
}

// patched replaces bytes of the first entry in the directory of an archive.
func patched(archive string, at int, with ...byte) string {
	data := []byte(archive)
	copy(data[bytes.Index(data, []byte("PK\x01\x02"))+at:], with)
	return string(data)
}

// Whatever a feed's server does, the last good copy stays and is served, its
// age is told, and the error says what happened and what to do; what is broken
// of a good edition costs no more than the record.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const day, next = "2025-09-26", "2025-09-27"
	long := strings.Repeat("x", 10<<20)
	for name, tt := range map[string]struct {
		feed string // kev, epss, nvd, osv
		page http.HandlerFunc
		err  string // empty: taken
		took int    // records of what is taken
	}{
		// Editions that are none to follow the kept one.
		"shrinks by half":     {"kev", write(kevText(next, 99)), "holds 99 records, and the copy that is kept 200: use --force", 0},
		"shrinks a little":    {"kev", write(kevText(next, 101)), "", 101},
		"the same again":      {"kev", write(kevText(day, 200)), "", 200},
		"goes back in time":   {"kev", write(kevText("2025-09-25", 200)), "older than the copy of 2025-09-26 that is kept: use --force", 0},
		"comes of the future": {"kev", write(kevText("2025-12-24", 200)), "which is to come: set the clock", 0},
		"says no time":        {"kev", write(kevText("never", 200)), "does not say when", 0},

		// Another schema.
		"members renamed":          {"kev", write(strings.ReplaceAll(kevText(next, 200), "cveID", "identifier")), "200 of 200 records cannot be read", 0},
		"a list became an object":  {"kev", write(strings.NewReplacer(`:[`, `:{"a":[`, `]}`, `]}}`).Replace(kevText(next, 200))), "fetch it again", 0},
		"a text became a number":   {"kev", write(strings.ReplaceAll(kevText(next, 200), `"2025-09-01"`, `20250901`)), "200 of 200 records cannot be read", 0},
		"columns in another order": {"epss", write(strings.Replace(epssText(next, 200), "cve,epss,percentile", "cve,percentile,epss", 1)), "its second line is not", 0},
		"another version":          {"nvd", write(strings.Replace(nvdText(next, 200), `"version":"2.0"`, `"version":"3.0"`, 1)), `version "3.0"`, 0},

		// A poisoned record.
		"a score that is no number":     {"epss", write(epssText(next, 200, "CVE-2025-9999,NaN,0.5\n")), "", 200},
		"a score without bound":         {"epss", write(epssText(next, 200, "CVE-2025-9999,1e400,0.5\n", "CVE-2025-9998,Inf,0.5\n")), "", 200},
		"a score below nothing":         {"epss", write(epssText(next, 200, "CVE-2025-9999,-0.1,0.5\n")), "", 200},
		"an id with control characters": {"epss", write(epssText(next, 200, "CVE-2025-\x1b[2J,0.1,0.5\n")), "", 200},
		"an id with a NUL":              {"kev", write(kevText(next, 200, `{"cveID":"CVE-2025-\u0000999","dateAdded":"2025-09-01"}`)), "", 200},
		"an id of ten megabytes":        {"kev", write(kevText(next, 200, `{"cveID":"`+long+`","dateAdded":"2025-09-01"}`)), "", 200},
		"a line of ten megabytes":       {"epss", write(epssText(next, 200, "CVE-2025-"+long+",0.1,0.5\n")), "", 200},
		"a number that is none":         {"kev", write(kevText(next, 200, `{"cveID":NaN}`)), "cannot be read on at byte", 0},
		"a number without bound":        {"nvd", write(nvdText(next, 200, `{"cve":{"id":1e400}}`)), "", 200},
		"a member twice":                {"kev", write(kevText(next, 200, `{"cveID":"CVE-2025-9999","cveID":"CVE-2025-9998","dateAdded":"2025-09-01"}`)), "", 201},
		"the list twice":                {"kev", write(strings.Replace(kevText(next, 200), `"count"`, `"vulnerabilities":[],"count"`, 1)), "fetch it again", 0},
		"an aliases bomb":               {"osv", write(osvText(next, 200, `{"id":"A-1","modified":"2025-09-01T00:00:00Z","aliases":[`+strings.Repeat(`"B",`, 1<<20)+`"C"]}`)), "", 201},
		"nested without end":            {"osv", write(osvText(next, 200, `{"id":"A-1","modified":"2025-09-01T00:00:00Z","details":`+strings.Repeat("[", 1<<20))), "", 200},
		"a version of ten megabytes":    {"kev", write(strings.Replace(kevText(next, 200), `"catalogVersion":"2025"`, `"catalogVersion":"`+long+`"`, 1)), "", 200},
		"a version with an escape":      {"kev", write(strings.Replace(kevText(next, 200), `"catalogVersion":"2025"`, `"catalogVersion":"\u001b[2J"`, 1)), "", 200},
		"a date of ten megabytes":       {"kev", write(kevText(long, 200)), "does not say when", 0},
		"a count of another list":       {"kev", write(strings.Replace(kevText(next, 200), `"count":200`, `"count":1000`, 1)), "should hold 1000 entries and holds 200", 0},

		// Files that are damaged, or too large.
		"gzip that is cut":            {"epss", write(gzipped(epssText(next, 200))[:500]), "ends early or is damaged: fetch it again", 0},
		"gzip with a wrong checksum":  {"epss", write(wrongSum(gzipped(epssText(next, 200)))), "ends early or is damaged: fetch it again", 0},
		"zip with a wrong checksum":   {"osv", write(wrongEntry(osvText(next, 200))), "entry 1 of the archive is damaged: fetch it again", 0},
		"a bomb of gzip":              {"epss", write(gzipped(epssText(next, 200) + strings.Repeat(" ", 200<<20))), "holds more than 128 MiB of text", 0},
		"a bomb of zip":               {"osv", write(bomb(20, 40<<20)), "20 of 20 records cannot be read", 0},
		"zip that lies of its length": {"osv", write(lied(40 << 20)), "entry 1 of the archive is damaged: fetch it again", 0},
		"endless":                     {"kev", endlessly(""), "has more than the 33554432 bytes that are allowed", 0},
		"endless gzip":                {"epss", endlessly(gzipped(epssText(next, 200))), "has more than the 67108864 bytes that are allowed", 0},
		"longer than it says": {"kev", func(w http.ResponseWriter, r *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"+kevText(next, 200))
		}, "fetch it again", 0},
		"shorter than it says": {"kev", func(w http.ResponseWriter, r *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"+kevText(next, 200))
		}, "it ended after", 0},
		"a length that is none": {"kev", func(w http.ResponseWriter, r *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"+kevText(next, 200))
		}, "cannot fetch", 0},
		"no HTTP": {"kev", func(w http.ResponseWriter, r *http.Request) { raw(w, kevText(next, 200)+"\r\n\r\n") }, "so try again later: ", 0},
		"headers without end": {"kev", func(w http.ResponseWriter, r *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 20_000))
		}, "cannot fetch", 0},
		"a page for browsers": {"kev", write(" <!DOCTYPE html><title>Sign in</title>"), "a web page came instead of", 0},
		"nothing at all":      {"kev", write(""), "does not begin as", 0},

		// Servers that hang, are busy, or send us elsewhere.
		"never answers": {"kev", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "it does not answer within", 0},
		"hangs after the headers": {"kev", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "it sent 0 bytes within", 0},
		"a byte now and then": {"kev", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, "are too slow; the file can be fetched by other means", 0},
		"redirects in circles":      {"kev", redirecting("/feed"), "more than five redirects", 0},
		"redirects to the metadata": {"kev", redirecting("http://169.254.169.254/latest/"), "metadata address", 0},
		"redirects to a file":       {"kev", redirecting("file:///etc/passwd"), "a redirect to what is no web address", 0},
		"busy for a minute":         {"kev", answering(429, "60"), "429 Too Many Requests: it asks to be left alone for 1m0s", 0},
		"busy until a date":         {"kev", answering(503, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)), "it asks to be left alone for", 0},
		"busy for an age":           {"kev", answering(503, "999999999999"), "it asks to be left alone for 24h0m0s", 0},
		"busy":                      {"kev", answering(503, ""), "503 Service Unavailable: try again later", 0},
		"gone":                      {"kev", answering(404, ""), "404 Not Found: there is no such file: check the address", 0},
		"forbidden":                 {"kev", answering(403, ""), "LEEWARD_FEED_KEV_TOKEN", 0},
		"unchanged, of nothing":     {"kev", answering(304, ""), "304 Not Modified: without us having a copy", 0},
		"nothing new":               {"kev", answering(204, ""), "204 No Content", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.Registered = builtin.Feeds()
			client := safehttp.New("test")
			client.Limits.Answer, client.Limits.Window, client.Limits.Least = 700*time.Millisecond, 700*time.Millisecond, 1000
			s.Fetcher = client
			texts := map[string]func(string, int, ...string) string{"kev": kevText, "epss": epssText, "nvd": nvdText, "osv": osvText}
			s.site.text("/feed", texts[tt.feed](day, 200))
			o := intel.Options{Locations: map[string][]string{tt.feed: {s.site.URL + "/feed"}}}
			before, changed := s.update(t, o, tt.feed)
			if !changed || before.Error != "" || before.Facts() != 200 {
				t.Fatalf("the good edition: %+v", before)
			}
			kept := bytes.Clone(s.shelf.bodies[tt.feed])
			s.now = s.now.Add(time.Hour)
			s.site.set("/feed", tt.page)
			got, changed := s.update(t, intel.Options{}, tt.feed)
			if text := string(s.shelf.states[tt.feed]); len(text) > 8<<10 || strings.ContainsAny(got.Error+got.Version(), "\x00\x1b\n") {
				t.Errorf("the state is %d bytes long, or holds control characters: %.500q", len(text), text)
			}
			if !got.Tried.Equal(s.now) {
				t.Errorf("tried at %v", got.Tried)
			}
			if tt.err == "" {
				if got.Error != "" || got.Facts() != tt.took {
					t.Errorf("%d records, error %q, want %d", got.Facts(), got.Error, tt.took)
				}
				return
			}
			if changed || got.Error == "" || !strings.Contains(got.Error, tt.err) {
				t.Errorf("changed = %v, error %.500q, want %q", changed, got.Error, tt.err)
			}
			if diff := cmp.Diff(before.Parts, got.Parts); diff != "" || !bytes.Equal(s.shelf.bodies[tt.feed], kept) {
				t.Errorf("the last good copy is another (-before +after):\n%s", diff)
			}
			if got.Date().Format(time.DateOnly) != day || !got.Fetched().Equal(before.Fetched()) || !got.Stale(find(tt.feed), s.now.AddDate(1, 0, 0)) {
				t.Errorf("its age is not told: of %v, fetched %v", got.Date(), got.Fetched())
			}
			if snapshot, err := s.Snapshot(t.Context()); err != nil || snapshot.Threat([]string{"CVE-2025-0199", "GO-2025-0199"}).PublishedDay+snapshot.Scores()+snapshot.Threat([]string{"CVE-2025-0199"}).KEVDay == 0 {
				t.Errorf("it is not served: %v", err)
			}
		})
	}
}

func find(name string) intel.Source {
	for _, f := range builtin.Feeds() {
		if f.Source().Name == name {
			return f.Source()
		}
	}
	return intel.Source{}
}

func wrongSum(gz string) string {
	b := []byte(gz)
	b[len(b)-8] ^= 0xff
	return string(b)
}

// raw answers with bytes of one's own.
func raw(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	io.WriteString(conn, text)
	conn.Close()
}

func endlessly(start string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, start)
		for block := make([]byte, 1<<20); r.Context().Err() == nil; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
}

func redirecting(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

func answering(status int, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
	}
}
