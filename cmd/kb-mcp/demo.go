package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/cmd/kb-mcp/internal/watch"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/visible"
)

// demoCommand is "kb-mcp demo".
func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "A guided tour on made-up data, under 15 seconds, no account needed.", Args: cobra.NoArgs,
		Long: `A guided tour on made-up data, under 15 seconds, no account needed.

Starts the sandbox on this machine, connects to it as to the real platforms, lists what is there, and
watches an upload to each platform until it is ingested, or fails and says why. Ends by itself.`,
		Example: "  go run ./cmd/kb-mcp demo",
		Run:     a.does(a.tour),
	}
}

const (
	tourTime  = 14 * time.Second // the tour ends by itself
	tourTick  = time.Second
	tourSpeed = 1.6 // the sandbox's usual document takes ten seconds
)

// tour runs the tour.
func (a *app) tour(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tourTime)
	defer cancel()
	sb, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{Speed: tourSpeed})
	if err != nil {
		return err
	}
	conf, err := settings.Open(append([]string{"KB_MCP_LOG_LEVEL=error"}, sb.Environ()...), a.stderr, version)
	if err != nil {
		return err
	}
	t := &tour{sandbox: sb.Sandbox(), vendors: conf.Connections, out: a.stdout}
	fmt.Fprintln(a.stdout, "kb-mcp tour: four platforms with made-up documents, served on this machine. No account, no network.")
	kbs, err := t.look(ctx)
	if err != nil {
		return err
	}
	uploads, err := t.upload(kbs)
	if err != nil {
		return err
	}
	t.watch(ctx, uploads, watch.NewDisplay(a.stdout))
	fmt.Fprint(a.stdout, `
That is what an agent sees through get_ingestion_progress. Next:
  kb-mcp --demo                     plug the same documents into an agent over stdio
  kb-mcp call --demo list_vendors   one tool call from the shell
  kb-mcp --help                     connect a real account
`)
	return nil
}

// tour is the sandbox and the connections to it.
type tour struct {
	sandbox *sandbox.Sandbox
	vendors []*connection.Connection
	out     io.Writer
}

// look lists the knowledge bases of every connection and the documents of one,
// and returns each connection's fullest knowledge base.
func (t *tour) look(ctx context.Context) (map[string]vendors.KnowledgeBase, error) {
	fullest := map[string]vendors.KnowledgeBase{}
	fmt.Fprintln(t.out, "\nKnowledge bases (list_knowledge_bases)")
	for _, v := range t.vendors {
		list, err := v.ListKnowledgeBases(ctx, connection.ListQuery{Limit: 20})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(t.out, "  %-11s", v.Name())
		for i, kb := range list.KnowledgeBases {
			if i > 0 {
				fmt.Fprint(t.out, ", ")
			}
			fmt.Fprint(t.out, visible.Line(kb.Name))
			if kb.DocumentCount != nil {
				fmt.Fprintf(t.out, " (%d)", *kb.DocumentCount)
				if best := fullest[v.Name()].DocumentCount; best == nil || *kb.DocumentCount > *best {
					fullest[v.Name()] = kb
				}
			}
		}
		fmt.Fprintln(t.out)
	}
	return fullest, t.documents(ctx, t.vendors[1], fullest)
}

// documents shows one knowledge base.
func (t *tour) documents(ctx context.Context, v *connection.Connection, kbs map[string]vendors.KnowledgeBase) error {
	kb := kbs[v.Name()]
	list, err := v.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 20})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\nDocuments of %q on %s (list_documents)\n", kb.Name, v.Name())
	for _, d := range list.Documents {
		note := ""
		if d.Error != nil {
			note = ": " + d.Error.Message
		}
		fmt.Fprintf(t.out, "  %-11s %s\n", d.Status, visible.Line(d.Name+note))
	}
	return nil
}

// upload is one uploaded document.
type upload struct {
	vendor       *connection.Connection
	kb, id, name string
}

// upload adds a new document to each connection's knowledge base; the last one
// will fail.
func (t *tour) upload(kbs map[string]vendors.KnowledgeBase) ([]upload, error) {
	plans := map[string]sandbox.Plan{"volcengine": sandbox.Failing("10003", "")}
	var list []upload
	for _, v := range t.vendors {
		plan, ok := plans[v.Platform()]
		if !ok {
			plan = sandbox.Normal()
		}
		u := upload{vendor: v, kb: kbs[v.Name()].KnowledgeBaseID, name: "新手册-" + v.Name() + ".pdf"}
		var err error
		if u.id, err = t.sandbox.Add(v.Platform(), u.kb, u.name, plan); err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	fmt.Fprintf(t.out, "\nAn upload to each platform (get_ingestion_progress, once a second)\n")
	return list, nil
}

// watch polls every upload until it has settled or the tour's time is over.
func (t *tour) watch(ctx context.Context, uploads []upload, d watch.Display) {
	defer d.Close()
	for _, u := range uploads {
		d.Add(u.id, fmt.Sprintf("%-11s %s", u.vendor.Name(), u.name))
	}
	var wg sync.WaitGroup
	for _, u := range uploads {
		wg.Go(func() {
			for ctx.Err() == nil {
				r, err := u.vendor.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: u.kb, DocumentIDs: []string{u.id}})
				if err == nil {
					d.Show(r.Documents[0])
				}
				if err == nil && r.Summary.Done {
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(tourTick):
				}
			}
		})
	}
	wg.Wait()
}
