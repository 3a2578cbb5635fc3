// Package vendors is the platform-neutral half of kb-mcp: the words in which
// documents are described to an agent, and the small contract that a platform's
// driver implements.
//
// # Words
//
//   - A platform is a kind of service (Coze, Dify, RAGFlow, Volcengine). A
//     connection is one account on one platform; tools call it "vendor".
//   - A knowledge base holds documents. A document is ingested: fetched,
//     parsed, split, embedded and indexed. [Status] says where it stands.
//   - A row is a document as a listing shows it.
//
// # What the author of a driver reads
//
//   - model.go, status.go: documents, knowledge bases, progress, statuses.
//   - driver.go: what a platform must do, and what it may know that saves
//     requests.
//   - capability.go: what a platform may offer beyond reading. Having the method
//     is having the tool; [Adviser] says what to do instead of the others.
//   - error.go: the one form of a failure.
//   - internal/write: sends writes in batches and reports what became of each
//     document; recent: a memory with a bound.
//   - rest: requests, tables of errors, members of any type.
//
// # How a call travels
//
//	tools -> connection -> driver -> rest -> ratelimit -> the platform
//
// A connection checks ids and filters, pages, removes rows already delivered,
// counts, and holds what is true on every platform (100 percent exactly when
// completed, an error only when failed). A [Driver] only speaks its platform's
// dialect: it makes requests and converts answers, and trusts its arguments.
// Behaviour that two platforms share never stands in two drivers.
//
// # Adding a platform
//
//  1. A package vendors/<name> with the files the others have: <name>.go (Config,
//     New), read.go, progress.go, write.go, wire.go, errors.go, failures.go,
//     doctor.go, ids.go.
//  2. A test of one call to vendortest.Run, and cases in testdata/<name>/<operation>.
//  3. A face in vendors/sandbox/<name>, so that it can be tried without an
//     account.
//  4. One import and one line in vendors/all, and a column in the README's tables.
package vendors
