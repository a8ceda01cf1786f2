<?php
// PHP as it comes: superglobals, and JSON from php://input; and Symfony's request and router, which Laravel's are made of.
require '/usr/share/php/Symfony/Component/HttpFoundation/autoload.php';
require '/usr/share/php/Symfony/Component/Routing/autoload.php';

use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\Routing\Matcher\UrlMatcher;
use Symfony\Component\Routing\RequestContext;
use Symfony\Component\Routing\Route;
use Symfony\Component\Routing\RouteCollection;

function texts($found): array {
    if (!is_array($found)) { return []; }
    $comment = $found['comment'] ?? null;
    $flat = [];
    $nested = str_contains($_SERVER['REQUEST_URI'], '/nested/');
    $all = [$nested ? (is_array($comment) ? ($comment['body'] ?? null) : null) : ($found['content'] ?? null)];
    array_walk_recursive($all, function ($text) use (&$flat) { if (is_string($text)) { $flat[] = $text; } });
    return $flat;
}
function scalar($value): array { return is_string($value) || is_int($value) || is_float($value) ? [(string) $value] : []; }

$views = ['query' => texts($_GET), 'form' => texts($_POST), 'request' => texts($_REQUEST)];
$type = strtolower(trim(explode(';', $_SERVER['CONTENT_TYPE'] ?? '')[0]));
$document = null;
if (str_ends_with($type, 'json')) {
    $document = json_decode(file_get_contents('php://input'), true);
    $views['json'] = texts($document);
}
Request::enableHttpMethodParameterOverride();
$request = Request::createFromGlobals();
try { $views['@method: Symfony'] = [$request->getMethod()]; } catch (\Throwable $refused) { /* nothing is done */ }
$routes = new RouteCollection();
$routes->add('comments', new Route('/api/{kind}/{room}/comments', [], ['kind' => 'both|json|form|nested|cookie|who|number']));
$paths = ['Symfony' => $request->getPathInfo(), 'parse_url' => parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)];
if (isset($_SERVER['PATH_INFO'])) { $paths['PATH_INFO'] = rawurlencode($_SERVER['PATH_INFO']); }
foreach ($paths as $name => $path) {
    try {
        $matched = (new UrlMatcher($routes, new RequestContext()))->match(rawurldecode(is_string($path) ? $path : '/'));
        $views["@room: $name"] = [$matched['room']];
        if ($matched['kind'] === 'number') { $views["@room: $name, (int)"] = [(string) (int) $matched['room']]; }
    } catch (\Throwable $refused) { /* another page */ }
}
if (str_contains($_SERVER['REQUEST_URI'], '/cookie/') && isset($_COOKIE['user'])) { $views['@sender: cookie'] = scalar($_COOKIE['user']); }
if (str_contains($_SERVER['REQUEST_URI'], '/who/')) {
    if (is_array($document)) { $views['@sender: json'] = scalar($document['user'] ?? null); }
    $views['@sender: request'] = scalar($_REQUEST['user'] ?? null);
}
http_response_code(201);
header('Content-Type: application/json');
echo json_encode($views, JSON_INVALID_UTF8_SUBSTITUTE);
