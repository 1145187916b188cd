// Package live starts the real things that tests run against: a private
// PostgreSQL cluster, and a browser. What is not installed skips the test,
// unless LEEWARD_TEST_ALL=1 says that everything must be there.
package live

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// All reports whether a missing program is a failure rather than a skip:
// LEEWARD_TEST_ALL=1 says that everything must be there.
func All() bool { return os.Getenv("LEEWARD_TEST_ALL") == "1" }

// Missing skips the test, or fails it when everything must be there.
func Missing(t testing.TB, what string) {
	t.Helper()
	if All() {
		t.Fatalf("%s is missing and LEEWARD_TEST_ALL=1 says that it must be there", what)
	}
	t.Skipf("%s is missing: install it to run this test", what)
}

// Cluster is a PostgreSQL server that belongs to one test binary.
type Cluster struct {
	dsn  string
	next atomic.Int64
	stop func()
}

// StartCluster starts a private server in a temporary directory, or returns
// nil with the reason when PostgreSQL is not installed. Call it from TestMain
// and Stop it after the tests.
func StartCluster() (*Cluster, error) {
	initdb, postgres := findProgram("initdb"), findProgram("postgres")
	if initdb == "" || postgres == "" {
		return nil, fmt.Errorf("PostgreSQL (initdb, postgres)")
	}
	dir, err := os.MkdirTemp("", "leeward-pg-")
	if err != nil {
		return nil, err
	}
	run := func(cmd *exec.Cmd) *exec.Cmd { return cmd }
	if os.Geteuid() == 0 {
		// PostgreSQL refuses to run as root.
		u, err := user.Lookup("postgres")
		if err != nil {
			u, err = user.Lookup("nobody")
		}
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		run = func(cmd *exec.Cmd) *exec.Cmd {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
			return cmd
		}
	}
	data := filepath.Join(dir, "data")
	init := run(exec.Command(initdb, "-D", data, "-U", "leeward", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"))
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server := run(exec.Command(postgres, "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", dir,
		"-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"))
	server.Dir = dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return nil, err
	}
	c := &Cluster{dsn: fmt.Sprintf("postgres://leeward@127.0.0.1:%d/postgres?sslmode=disable", port)}
	c.stop = func() {
		server.Process.Signal(syscall.SIGQUIT)
		server.Wait()
		log.Close()
		os.RemoveAll(dir)
	}
	if err := c.await(); err != nil {
		text, _ := os.ReadFile(log.Name())
		c.stop()
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return c, nil
}

// Stop ends the server and removes its data.
func (c *Cluster) Stop() {
	if c != nil {
		c.stop()
	}
}

// Database makes an empty database and returns its address.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("test%d", c.next.Add(1))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	cfg := conn.Config()
	return fmt.Sprintf("postgres://leeward@127.0.0.1:%d/%s?sslmode=disable", cfg.Port, name)
}

func findProgram(name string) string {
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await waits until the server answers.
func (c *Cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
