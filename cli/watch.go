package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

type watchCmd struct {
	Dir    string        `arg:"" help:"Folder that reports are put into." type:"existingdir"`
	Format string        `help:"Format of the reports; recognised when not given." placeholder:"NAME"`
	Asset  string        `help:"Where to file records that name no asset, as in repository:github.com/acme/shop." placeholder:"KIND:NAME"`
	Settle time.Duration `help:"For how long a file must not change before it is read." default:"3s"`
	Every  time.Duration `help:"How often to look." default:"2s"`
	Once   bool          `help:"Import what is there and end, without waiting for files to settle."`
}

// The folders within the watched one that files go to. A reason stands beside
// each file that could not be imported, or not all of it.
const (
	doneDir   = "done"
	failedDir = "failed"
)

// watched is a walk over a folder.
type watched struct {
	*watchCmd
	*run
	root  *os.Root
	asset exposure.AssetRef
	seen  map[string]fs.FileInfo // how files looked the last time
	down  bool                   // said that nothing can be imported now
}

func (c *watchCmd) Run(ctx context.Context, r *run) error {
	w := &watched{watchCmd: c, run: r, seen: map[string]fs.FileInfo{}}
	if c.Every < 10*time.Millisecond || c.Settle < 0 {
		return exposure.Errorf(exposure.Invalid, "look every 10 ms at most, and let files settle for no negative time")
	}
	var err error
	if c.Asset != "" {
		if w.asset, err = discover.ParseAsset(c.Asset); err != nil {
			return err
		}
	}
	if w.root, err = os.OpenRoot(c.Dir); err != nil {
		return exposure.Errorf(exposure.Invalid, "cannot watch %s: %w", c.Dir, err)
	}
	defer w.root.Close()
	for _, dir := range []string{doneDir, failedDir} {
		if err := w.root.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return exposure.Errorf(exposure.Invalid, "reports that were read are moved to %s, which cannot be made: %w", path.Join(c.Dir, dir), err)
		}
	}
	if !r.JSON && !c.Once {
		fmt.Fprintf(r.Err, "Watching %s: reports put there are imported and moved to %s or %s. Stop with Ctrl C.\n", printable(c.Dir), doneDir, failedDir)
	}
	for {
		if err := w.look(ctx); err != nil {
			return err
		}
		if c.Once {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.Every):
		}
	}
}

// look imports what is ready, the oldest first.
func (w *watched) look(ctx context.Context) error {
	entries, err := fs.ReadDir(w.root.FS(), ".")
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot look into %s: %w", w.Dir, err)
	}
	var ready []fs.FileInfo
	there := map[string]fs.FileInfo{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || partial(info.Name()) {
			continue // gone again, a folder, or not whole yet
		}
		there[info.Name()] = info
		if last := w.seen[info.Name()]; w.Once || last != nil && last.Size() == info.Size() && last.ModTime().Equal(info.ModTime()) && w.Now().Sub(info.ModTime()) >= w.Settle {
			ready = append(ready, info)
		}
	}
	w.seen = there
	slices.SortFunc(ready, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, info := range ready {
		if ctx.Err() != nil {
			return nil
		}
		if err := w.take(ctx, info.Name()); err != nil {
			return err
		}
	}
	return nil
}

// partial reports whether a name is one that programs give to files they still
// write.
func partial(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
		return true
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp":
		return true
	}
	return false
}

// take imports one file and moves it. What only has to wait stays where it is:
// a report that is read twice changes nothing.
func (w *watched) take(ctx context.Context, name string) error {
	results, err := w.one(ctx, name)
	switch kind := exposure.KindOf(err); {
	case ctx.Err() != nil:
		return nil
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		return nil // somebody took it away
	case kind == exposure.Invalid, kind == exposure.Unsupported:
		return w.fail(name, err.Error())
	default:
		if w.Once {
			return err
		}
		if !w.down {
			fmt.Fprintf(w.Err, "%s stays and is tried again: %s\n", printable(name), printable(err.Error()))
		}
		w.down = true
		return nil
	}
	w.down = false
	whole := false
	var wrong []string
	for _, res := range results {
		if err := w.say(&res); err != nil {
			return err
		}
		whole = whole || !res.Refused()
		wrong = append(wrong, complaints(&res)...)
	}
	if !whole {
		return w.fail(name, cmp.Or(strings.Join(wrong, "\n"), "nothing in it is a report that is known"))
	}
	for _, c := range wrong {
		fmt.Fprintln(w.Err, printable(c))
	}
	to, err := w.move(name, doneDir)
	if err != nil || len(wrong) == 0 {
		return err
	}
	return w.reason(to, strings.Join(wrong, "\n"))
}

func (w *watched) one(ctx context.Context, name string) ([]discover.Result, error) {
	in, err := w.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	h, done, err := w.house(ctx) // anew each time: a server may come or go
	if err != nil {
		return nil, err
	}
	defer done()
	return h.Import(ctx, discover.Request{Name: name, Format: w.Format, Asset: w.asset}, in)
}

// say prints what came of a document.
func (w *watched) say(res *discover.Result) error {
	if res.Errors > 0 {
		w.recordErrors()
	}
	if w.JSON {
		return newEncoder(w.Out).Encode(importedOf(res))
	}
	_, err := fmt.Fprintf(w.Out, "%s  %s: %s, %d observations, %d new, %d closed, %d broken records\n", w.Now().UTC().Format(time.DateTime), printable(res.File), orElse(res.Format, "no format"), res.Observations, res.New, res.Closed, res.Errors)
	return err
}

// fail moves a file that cannot be imported, and writes why beside it.
func (w *watched) fail(name, why string) error {
	w.recordErrors()
	fmt.Fprintf(w.Err, "%s: %s\n", printable(name), printable(why))
	to, err := w.move(name, failedDir)
	if err != nil {
		return err
	}
	return w.reason(to, why)
}

// reason writes beside a file what is wrong with it.
func (w *watched) reason(to, why string) error {
	f, err := w.root.Create(to + ".reason.txt")
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot write what is wrong with %s: %w", to, err)
	}
	defer f.Close()
	_, err = io.WriteString(f, why+"\n")
	return err
}

// move moves a file to a folder, under another name when one has its name.
func (w *watched) move(name, dir string) (to string, err error) {
	to = path.Join(dir, name)
	for n := 2; ; n++ {
		if _, err := w.root.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		ext := path.Ext(name)
		to = path.Join(dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext))
	}
	if err := w.root.Rename(name, to); err != nil {
		return to, exposure.Errorf(exposure.Unavailable, "%s was imported and cannot be moved to %s: %w", name, to, err)
	}
	delete(w.seen, name)
	return to, nil
}
