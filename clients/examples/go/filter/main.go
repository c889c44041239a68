// Command filter is a filter of one's own, which finds words that are not polite; see
// docs/guides/own-filter.md.
package main

import (
	"cmp"
	"context"
	"log"
	"net"
	"os"
	"regexp"
	"unicode/utf8"

	"google.golang.org/grpc"

	contextv1 "antiphon.example/converse/stubs/antiphon/context/v1"
)

var rude = regexp.MustCompile(`(?i)\b(blockhead|nitwit)\b`)

type moderation struct {
	contextv1.UnimplementedRemoteFilterServiceServer
}

func (moderation) Screen(_ context.Context, asked *contextv1.RemoteFilterServiceScreenRequest) (
	*contextv1.RemoteFilterServiceScreenResponse, error) {
	answer := &contextv1.RemoteFilterServiceScreenResponse{}
	for number, said := range asked.GetTexts() {
		for _, place := range rude.FindAllStringIndex(said, -1) {
			start := utf8.RuneCountInString(said[:place[0]]) // characters, not bytes
			end := start + utf8.RuneCountInString(said[place[0]:place[1]])
			answer.Findings = append(answer.Findings, &contextv1.RemoteFinding{
				Category: "rude", Text: int32(number), Start: int32(start), End: int32(end),
			})
		}
	}
	return answer, nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "50051"))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(8 << 20))
	contextv1.RegisterRemoteFilterServiceServer(server, moderation{})
	log.Fatal(server.Serve(listener))
}
