package coze

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// mostBytes is the largest content of one hosted upload: as base64 it must fit
// into a body of 15 MB.
const mostBytes = 11_000_000

// draft is an upload on its way to a request.
type draft struct {
	vendors.Upload
	fileType string // the suffix that says what the content is; "" with a URL
	notes    []string
}

// Upload implements [vendors.Uploader]. What is sent depends on the dialect, so
// one read decides it where no answer has yet: studio would make an empty
// document of hosted's form.
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	f, err := draftOf(u)
	if err == nil {
		err = d.decide(ctx, u.KnowledgeBaseID)
	}
	if err == nil {
		err = d.checkDocumentName(&f.Name)
	}
	if err == nil {
		err = f.judge(d.speech.isStudio())
	}
	if err != nil {
		return vendors.Uploaded{}, err
	}
	var info sourceInfo
	if d.speech.isStudio() {
		info, err = d.studioSource(ctx, f)
	} else {
		info, err = f.hostedSource()
	}
	if err != nil {
		return vendors.Uploaded{}, err
	}
	doc, note, err := d.create(ctx, u.KnowledgeBaseID, documentBase{Name: f.Name, SourceInfo: info})
	if err != nil {
		return vendors.Uploaded{}, err
	}
	if note != "" {
		f.notes = append(f.notes, note)
	}
	if doc.Name != f.Name {
		f.notes = append(f.notes, "Coze named the document "+doc.Name+".")
	}
	return vendors.Uploaded{Document: doc, Notes: f.notes}, nil
}

// decide makes sure that the dialect is known, by the cheapest read. An answer
// without any mark is not studio's, whose answers always have one.
func (d *Driver) decide(ctx context.Context, kb string) error {
	if d.speech.is() != undecided {
		return nil
	}
	_, err := d.list(ctx, kb, 1, 1, nil)
	return err
}

// draftOf checks what holds in both dialects.
func draftOf(u vendors.Upload) (draft, error) {
	f := draft{Upload: u}
	err := checkIDs("knowledge_base_id", u.KnowledgeBaseID)
	switch {
	case err != nil:
	case u.URL != "":
		if strings.TrimSpace(f.Name) == "" {
			f.Name = pageName(u.URL)
		}
	case u.File != nil:
		if f.fileType = fileTypeOf(f.Name); f.fileType == "" {
			err = unknownType("pdf, .txt, .md, .doc or .docx")
		} else if f.File.Size == 0 {
			err = vendors.Errorf(vendors.InvalidArgument, "The file is empty.")
		}
	case strings.TrimSpace(u.Text) == "":
		err = vendors.Errorf(vendors.InvalidArgument, "`text` is blank: Coze could not make a document of it.")
	default:
		f.fileType = "txt"
		if fileTypeOf(f.Name) == "md" {
			f.fileType = "md"
		}
	}
	if err == nil {
		err = checkName(&f.Name, 0)
	}
	return f, err
}

// fileTypeOf maps a name's suffix to the type of a document; "" when Coze takes
// none of this suffix. What is plain text by another name is sent as txt.
func fileTypeOf(name string) string {
	switch suffix := rest.Suffix(name); suffix {
	case "pdf", "doc", "docx", "txt", "md":
		return suffix
	case "markdown":
		return "md"
	case "text", "log", "rst", "adoc", "csv", "tsv", "json", "jsonl", "yaml", "yml", "xml", "toml", "ini":
		return "txt"
	}
	return ""
}

// judge checks the type against the dialect's: hosted Coze has none for
// Markdown, and studio no parser for the old Word format.
func (f *draft) judge(onStudio bool) error {
	switch {
	case f.fileType == "doc" && onStudio:
		return unknownType("pdf, .txt, .md or .docx")
	case f.fileType == "md" && !onStudio:
		f.fileType = "txt"
	}
	if suffix := rest.Suffix(f.Name); f.File != nil && f.fileType == "txt" && suffix != "txt" {
		f.notes = append(f.notes, "This ."+suffix+" file was sent as plain text (txt), and keeps its name.")
	}
	return nil
}

func unknownType(taken string) error {
	return vendors.Errorf(vendors.InvalidArgument, "Coze takes no files of this type: the name must end in .%s, or in the suffix of a plain text such as .csv or .json; nothing was sent.", taken).
		WithHint("Convert the file, or pass its text as `text`. Tables and images need knowledge bases of other kinds, which this tool does not fill.")
}

// pageName names a web page by its address without the query, which may hold
// credentials.
func pageName(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "web page"
	}
	return u.Host + strings.TrimRight(u.Path, "/")
}

// hostedSource puts the content into the request: hosted Coze has no other way
// for text documents.
func (f draft) hostedSource() (sourceInfo, error) {
	if f.URL != "" {
		return sourceInfo{WebURL: f.URL, DocumentSource: new(1)}, nil
	}
	size := int64(len(f.Text))
	if f.File != nil {
		size = f.File.Size
	}
	if size > mostBytes {
		return sourceInfo{}, vendors.Errorf(vendors.InvalidArgument, "The content has %d bytes; Coze takes at most %d in one upload.", size, mostBytes).
			WithHint("Split it into several documents.")
	}
	content := []byte(f.Text)
	if f.File != nil {
		var err error
		if content, err = readFile(f.File); err != nil {
			return sourceInfo{}, err
		}
	}
	return sourceInfo{FileBase64: content, FileType: f.fileType, DocumentSource: new(0)}, nil
}

// readFile reads a file of the size that was checked.
func readFile(f *vendors.File) ([]byte, error) {
	r, err := f.Open()
	if err == nil {
		defer r.Close()
		content := make([]byte, f.Size)
		if _, err = io.ReadFull(r, content); err == nil {
			return content, nil
		}
	}
	return nil, &vendors.Error{Kind: vendors.InvalidArgument, Err: err,
		Message: "The file could not be read, or became shorter meanwhile; nothing was sent.",
		Hint:    "Check the file and upload it again."}
}

// studioSource stores the content as a file, a text too: studio puts a text that
// stands in the request into a message of its queue, which takes a megabyte,
// after it has made the document.
func (d *Driver) studioSource(ctx context.Context, f draft) (sourceInfo, error) {
	if f.URL != "" {
		return sourceInfo{}, vendors.Errorf(vendors.Unsupported, "A coze-studio server cannot read web pages through its API; nothing was sent.").
			WithHint("Fetch the page and pass its content as `text`.")
	}
	if f.File == nil {
		f.File = textFile(f.Text)
	}
	uri, err := d.store(ctx, f)
	return sourceInfo{TosURI: uri}, err
}

func textFile(text string) *vendors.File {
	return &vendors.File{Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// store uploads a file to studio's storage, streamed, and gives its key, whose
// suffix sets the document's type: studio's parsers know it in lower case only,
// and one that they do not know holds up the server's queue. It may be repeated: a file that no document
// refers to is not in any knowledge base.
func (d *Driver) store(ctx context.Context, f draft) (uri string, err error) {
	var out fileAnswer
	err = d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"v1", "files", "upload"}, Write: rest.Repeatable,
		Form: &rest.Form{Field: "file", Name: storedName(f.Name, f.fileType), File: *f.File},
	}, &out)
	return string(out.Data.URI), vendors.NothingDone(err)
}

// mostStem is how much of a document's name the stored file's has: it becomes
// part of a storage key, and some stores allow 255 bytes between two slashes.
const mostStem = 120

// storedName is what a file is stored under: its name with the suffix of its
// type, and without what may mean something else in a key.
func storedName(name, fileType string) string {
	if rest.Suffix(name) == fileType {
		name = name[:len(name)-len(fileType)-1]
	}
	stem := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\`, r) {
			return '_'
		}
		return r
	}, name)
	for len(stem) > mostStem {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return stem + "." + fileType
}
