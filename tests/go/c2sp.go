// A log, and a reader of logs, on Go's own golang.org/x/mod/sumdb: what this project writes is read by it, and what
// it writes is given to this project.
//
//	c2sp key NAME KEY_FILE                    makes a log's key; prints its public half
//	c2sp read URL LOG_KEY [WITNESS_KEY ...]   follows a log of tiles; prints what its checkpoint says and every leaf's hash
//	c2sp grow KEY_FILE URL WITNESS_KEY        has a log of its own cosigned, grown, and rewritten; prints what came of each
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var said interface{}
	var err error
	switch words := os.Args[1:]; {
	case len(words) == 3 && words[0] == "key":
		said, err = makeKey(words[1], words[2])
	case len(words) >= 3 && words[0] == "read":
		said, err = read(words[1], words[2], words[3:])
	case len(words) == 4 && words[0] == "grow":
		said, err = grow(words[1], words[2], words[3])
	default:
		err = fmt.Errorf("usage: c2sp key|read|grow")
	}
	if err != nil {
		log(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		log(err)
	}
}

func makeKey(name, file string) (string, error) {
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", err
	}
	return public, os.WriteFile(file, []byte(private), 0o600)
}

// A tree as a checkpoint names it: origin, size, root.
type checkpoint struct {
	origin string
	tree   tlog.Tree
}

func (c checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.origin, c.tree.N, c.tree.Hash)
}

func parse(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return checkpoint{}, fmt.Errorf("a checkpoint has three lines: %q", text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: root}}, err
}

// Tiles over HTTP under the paths of C2SP's tlog-tiles, which leave the height out.
type tiles struct{ url string }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		body, err := get(t.url + "/" + path)
		if err != nil {
			return nil, err
		}
		all = append(all, body)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func read(url, key string, witnesses []string) (interface{}, error) {
	operator, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	known := []note.Verifier{operator}
	for _, key := range witnesses {
		witness, err := newWitness(key)
		if err != nil {
			return nil, err
		}
		known = append(known, witness)
	}
	signed, err := get(url + "/checkpoint")
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, signature := range opened.Sigs {
		names = append(names, signature.Name)
	}
	said, err := parse(opened.Text)
	if err != nil {
		return nil, err
	}
	// The reader checks each tile against the checkpoint's root.
	reader := tlog.TileHashReader(said.tree, tiles{url})
	leaves := []string{}
	for n := int64(0); n < said.tree.N; n++ {
		found, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil {
			return nil, err
		}
		proof, err := tlog.ProveRecord(said.tree.N, n, reader)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(proof, said.tree.N, said.tree.Hash, n, found[0]); err != nil {
			return nil, err
		}
		leaves = append(leaves, hex.EncodeToString(found[0][:]))
	}
	return map[string]interface{}{"origin": said.origin, "size": said.tree.N, "signed_by": names, "leaves": leaves}, nil
}

// A log in memory.
type memory struct {
	origin string
	size   int64
	hashes []tlog.Hash
}

func (m *memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, index := range indexes {
		all = append(all, m.hashes[index])
	}
	return all, nil
}

func (m *memory) append(record string) error {
	stored, err := tlog.StoredHashes(m.size, []byte(record), m)
	m.hashes = append(m.hashes, stored...)
	m.size++
	return err
}

func logOf(origin, prefix string, size int) (*memory, error) {
	log := &memory{origin: origin}
	for n := 0; n < size; n++ {
		if err := log.append(fmt.Sprint(prefix, n)); err != nil {
			return nil, err
		}
	}
	return log, nil
}

// Asks a witness for its line; a status of 200 comes with a cosignature that holds.
func (m *memory) submit(old int64, key note.Signer, url string, witness note.Verifier) (int, error) {
	root, err := tlog.TreeHash(m.size, m)
	if err != nil {
		return 0, err
	}
	said := checkpoint{m.origin, tlog.Tree{N: m.size, Hash: root}}
	signed, err := note.Sign(&note.Note{Text: said.text()}, key)
	if err != nil {
		return 0, err
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	if old > 0 && old < m.size {
		proof, err := tlog.ProveTree(m.size, old, m)
		if err != nil {
			return 0, err
		}
		for _, hash := range proof {
			fmt.Fprintln(&body, hash)
		}
	}
	body.WriteString("\n")
	body.Write(signed)
	answer, err := http.Post(strings.TrimSuffix(url, "/")+"/add-checkpoint", "text/plain", &body)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	line, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil || answer.StatusCode != http.StatusOK {
		return answer.StatusCode, err
	}
	_, err = note.Open(append(signed, line...), note.VerifierList(witness))
	return answer.StatusCode, err
}

func grow(keyFile, url, witnessKey string) (interface{}, error) {
	private, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	key, err := note.NewSigner(string(private))
	if err != nil {
		return nil, err
	}
	witness, err := newWitness(witnessKey)
	if err != nil {
		return nil, err
	}
	said := map[string]int{}
	for _, step := range []struct {
		name, records string
		size          int
		old           int64
	}{
		{"first", "record ", 5, 0},
		{"grown", "record ", 300, 5},
		{"again", "record ", 300, 300},
		{"behind", "record ", 310, 5},
		{"rewritten", "other ", 310, 300},
		{"on", "record ", 310, 300},
	} {
		log, err := logOf(key.Name(), step.records, step.size)
		if err != nil {
			return nil, err
		}
		if said[step.name], err = log.submit(step.old, key, url, witness); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return said, nil
}

// A verifier of C2SP's cosignature/v1, which this version of the package has not.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newWitness(text string) (note.Verifier, error) {
	parts := strings.SplitN(strings.TrimSpace(text), "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("no key: %q", text)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, fmt.Errorf("no key of a witness: %q", text)
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if hex.EncodeToString(digest[:4]) != parts[1] {
		return nil, fmt.Errorf("the key's id is another: %q", text)
	}
	return cosigner{parts[0], binary.BigEndian.Uint32(digest[:4]), key[1:]}, nil
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	at := binary.BigEndian.Uint64(signature[:8])
	if age := time.Since(time.Unix(int64(at), 0)); age < -time.Minute || age > time.Hour {
		return false
	}
	said := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
	return ed25519.Verify(c.key, []byte(said), signature[8:])
}

func get(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, 1<<20))
}
